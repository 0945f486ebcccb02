//! Readers, writers and evictors: what each does is decided by the seed, and what it may see by the [`World`].

use std::{cell::Cell, future::Future, rc::Rc, time::Duration};

use cache_runtime::{
    CacheError, Evict, Key, Served, cache_evict, cache_put, cacheable, key, refresh, traced,
};

use crate::world::{Family, Reach, World};

#[cacheable(key = "row:{row}", ttl = world.ttl, tags = ["t:{row}"], stampede_protection = "fleet", wait_timeout = "1s")]
async fn read_fleet(world: &World, row: usize) -> Result<u64, String> {
    load(world, row).await
}

#[cacheable(key = "row:{row}", ttl = world.ttl, tags = ["t:{row}"], jitter = 0.0, wait_timeout = "20ms")]
async fn read_process(world: &World, row: usize) -> Result<u64, String> {
    load(world, row).await
}

#[cacheable(key = "row:{row}", tags = ["t:{row}"], stampede_protection = "off")]
async fn read_off(world: &World, row: usize) -> Result<u64, String> {
    load(world, row).await
}

/// Its tag is known only with the value.
#[cacheable(key = "late:{row}", ttl = world.ttl, tags = ["t:{result.0}"], stampede_protection = "fleet", wait_timeout = "1s")]
async fn read_late(world: &World, row: usize) -> Result<(usize, u64), String> {
    Ok((row, load(world, row).await?))
}

#[cacheable(key = "mine:{row}", scope = "owner:{row}", ttl = world.ttl, stampede_protection = "fleet", wait_timeout = "1s")]
async fn read_scoped(world: &World, row: usize) -> Result<u64, String> {
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

#[cache_evict(tags = ["t:{row}"], scope = "owner:{row}")]
async fn write_by_label(world: &World, row: usize, committed: &Cell<u64>) {
    world.pause().await;
    committed.set(world.commit(row));
    world.pause().await;
}

#[cache_put(key = "row:{row}", ttl = world.ttl, tags = ["t:{row}"])]
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
    let how = fastrand::u8(..12);
    let family = match how {
        0..7 => Family::Row,
        7..10 => Family::Late,
        _ => Family::Scoped,
    };
    let floor = world.floor(process, family, row);
    world.tell(format_args!(
        "process {process} reads {family:?} {row} (kind {how}), at least {floor:?}"
    ));
    let read = async {
        match how {
            0..4 => read_fleet(&world, row).await,
            4..6 => read_process(&world, row).await,
            6 => read_off(&world, row).await,
            7 => refresh(read_late(&world, row))
                .await
                .map(|(_, version)| version),
            8 => read_late(&world, row).await.map(|(_, version)| version),
            // Knows nothing of the tags of what it finds.
            9 => match cache.get::<(usize, u64)>(&key!("late:{row}")).await {
                Some((_, version)) => Ok(version),
                None => Err("nothing is stored".to_owned()),
            },
            _ => read_scoped(&world, row).await,
        }
    };
    let (value, served) = dropped_sometimes(&world, cache.as_current(traced(read)))
        .await
        .unzip();
    let served = served.flatten();
    world.tell(format_args!(
        "process {process} has read {value:?} from {family:?} {row}: {served:?}"
    ));
    world.reads.set(world.reads.get() + 1);
    let floor = floor.of(served == Some(Served::Shared));
    if let Some(Ok(version)) = value
        && version < floor
    {
        let text = format!("process {process}, {family:?} {row}: {version} read after {floor}");
        world.violations.borrow_mut().push(text);
    }
}

pub(crate) async fn writer(world: Rc<World>, process: usize, row: usize, lossy: bool) {
    let cache = &world.caches[process];
    let committed = Cell::new(0);
    let how = fastrand::u8(..9);
    world.tell(format_args!(
        "process {process} writes row {row} (kind {how})"
    ));
    // Dropped or not, the eviction is done in this process; the attribute does not say what Redis did.
    let complete = |reach: &[Reach], done: bool| {
        world.complete(process, row, committed.get(), reach, done && !lossy);
    };
    match how {
        0 => {
            let write = cache.as_current(write(&world, row, &committed));
            let done = dropped_sometimes(&world, write).await.is_some();
            complete(&[Reach::Key(Family::Row)], done);
        }
        1 | 2 => {
            let write = cache.as_current(write_by_label(&world, row, &committed));
            let done = dropped_sometimes(&world, write).await.is_some();
            complete(&Reach::ALL_BY_LABEL, done);
        }
        3 => {
            let put = cache.as_current(put(&world, row, &committed));
            let done = dropped_sometimes(&world, put).await.is_some();
            complete(&[Reach::Key(Family::Row)], done);
        }
        _ => evict(&world, process, row).await,
    }
    world.evictions.set(world.evictions.get() + 1);
}

/// An eviction of everything that shows a row, in one of all the ways there are.
fn ways(row: usize) -> (Evict, &'static [Reach]) {
    let keys = || {
        let mine = key!("mine:{row}").in_scope(&format!("owner:{row}"));
        [key!("row:{row}"), key!("late:{row}"), mine]
    };
    let each = |one: fn(&str) -> Evict| one("row").and(one("late")).and(one("mine"));
    match fastrand::u8(..8) {
        0 => (Evict::keys(keys()), &Reach::ALL_BY_KEY),
        1 | 2 => {
            let tag = Evict::tag(format!("t:{row}"));
            (
                tag.and(Evict::scope(format!("owner:{row}"))),
                &Reach::ALL_BY_LABEL,
            )
        }
        3 => (each(|region| Evict::region(region)), &Reach::ALL_BY_LABEL),
        4 => {
            let patterns = each(|region| Evict::pattern(format!("{region}:*")));
            (patterns, &Reach::ALL_BY_LABEL)
        }
        5 => (Evict::pattern(format!("[rlm]*:{row}")), &Reach::ALL_BY_KEY),
        6 => {
            let held = Evict::all().hold(Duration::from_millis(fastrand::u64(1..20)));
            (held, &Reach::ALL_BY_LABEL)
        }
        _ => (
            Evict::all().and(Evict::key(Key::new("other"))),
            &Reach::ALL_BY_LABEL,
        ),
    }
}

async fn evict(world: &World, process: usize, row: usize) {
    let cache = &world.caches[process];
    let version = world.commit(row);
    let (what, reach) = ways(row);
    world.tell(format_args!("process {process} evicts {what:?}"));
    let evicting = async {
        if fastrand::u8(..3) == 0 {
            cache.expire(what).await
        } else {
            cache.evict(what).await
        }
    };
    let result: Option<Result<(), CacheError>> = dropped_sometimes(world, evicting).await;
    if let Some(result) = result {
        world.complete(process, row, version, reach, result.is_ok());
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
