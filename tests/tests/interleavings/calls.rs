//! Readers, writers and evictors: what each does is decided by the seed, and what it may see by the [`World`].

use std::{cell::Cell, future::Future, rc::Rc};

use cache_runtime::{Evict, Served, cache_evict, cache_put, cacheable, key, refresh, traced};

use crate::world::World;

#[cacheable(key = "row:{row}", ttl = world.ttl, stampede_protection = "fleet", wait_timeout = "1s")]
async fn read_fleet(world: &World, row: usize) -> Result<u64, String> {
    load(world, row).await
}

#[cacheable(key = "row:{row}", ttl = world.ttl, jitter = 0.0, wait_timeout = "20ms")]
async fn read_process(world: &World, row: usize) -> Result<u64, String> {
    load(world, row).await
}

#[cacheable(key = "row:{row}", stampede_protection = "off")]
async fn read_off(world: &World, row: usize) -> Result<u64, String> {
    load(world, row).await
}

async fn load(world: &World, row: usize) -> Result<u64, String> {
    world.pause().await;
    let version = world.rows[row].get();
    world.tell(format_args!("a load sees {version} in row {row}"));
    world.pause().await;
    if fastrand::u8(..16) == 0 {
        Err("the origin failed".to_owned())
    } else {
        Ok(version)
    }
}

#[cache_evict(key = "row:{row}")]
async fn write(world: &World, row: usize, committed: &Cell<u64>) {
    world.pause().await;
    committed.set(world.commit(row));
    world.pause().await;
}

#[cache_put(key = "row:{row}", ttl = world.ttl)]
async fn put(world: &World, row: usize, committed: &Cell<u64>) -> Result<u64, String> {
    world.pause().await;
    committed.set(world.commit(row));
    world.pause().await;
    if fastrand::u8(..8) == 0 {
        return Err("the write is reported as failed".to_owned());
    }
    Ok(committed.get())
}

pub(crate) async fn reader(world: Rc<World>, process: usize, row: usize) {
    let cache = &world.caches[process];
    let floor = world.floors.borrow()[process][row];
    let own_floor = world.own_floors.borrow()[process][row];
    let how = fastrand::u8(..8);
    world.tell(format_args!(
        "process {process} reads row {row} (kind {how}), at least {floor}"
    ));
    let read = async {
        match how {
            0..4 => read_fleet(&world, row).await,
            4..6 => read_process(&world, row).await,
            6 => read_off(&world, row).await,
            _ => refresh(read_fleet(&world, row)).await,
        }
    };
    let (value, served) = dropped_sometimes(&world, cache.as_current(traced(read)))
        .await
        .unzip();
    let served = served.flatten();
    world.tell(format_args!(
        "process {process} has read {value:?} from row {row}: {served:?}"
    ));
    world.reads.set(world.reads.get() + 1);
    // Without a bus, a caller that joins a load may get what another process has just evicted.
    let floor = if served == Some(Served::Shared) {
        own_floor
    } else {
        floor
    };
    if let Some(Ok(version)) = value
        && version < floor
    {
        let text = format!("process {process}, row {row}: {version} read after {floor}");
        world.violations.borrow_mut().push(text);
    }
}

pub(crate) async fn writer(world: Rc<World>, process: usize, row: usize, lossy: bool) {
    let cache = &world.caches[process];
    let committed = Cell::new(0);
    let how = fastrand::u8(..6);
    world.tell(format_args!(
        "process {process} writes row {row} (kind {how})"
    ));
    match how {
        0 | 1 => {
            let write = cache.as_current(write(&world, row, &committed));
            let done = dropped_sometimes(&world, write).await.is_some();
            // Dropped or not, the eviction is done in this process; the attribute does not say what Redis did.
            world.complete(process, row, committed.get(), done && !lossy);
        }
        2 | 3 => {
            let put = cache.as_current(put(&world, row, &committed));
            let done = dropped_sometimes(&world, put).await.is_some();
            world.complete(process, row, committed.get(), done && !lossy);
        }
        _ => evict(&world, process, row).await,
    }
}

async fn evict(world: &World, process: usize, row: usize) {
    let cache = &world.caches[process];
    let version = world.commit(row);
    let what = match fastrand::u8(..4) {
        0 | 1 => Evict::key(key!("row:{row}")),
        2 => Evict::pattern("row:*"),
        _ => Evict::all(),
    };
    if let Some(result) = dropped_sometimes(world, cache.evict(what)).await {
        world.complete(process, row, version, result.is_ok());
    }
}

/// The future's output, or `None` if it was dropped before its end.
async fn dropped_sometimes<F: Future>(world: &World, future: F) -> Option<F::Output> {
    if fastrand::u8(..6) > 0 {
        return Some(future.await);
    }
    let patience = world.longest.mul_f64(4.0 * fastrand::f64());
    tokio::time::timeout(patience, future).await.ok()
}
