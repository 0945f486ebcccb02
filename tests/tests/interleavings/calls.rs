//! Readers and writers: what each does is decided by the seed, and what it may see by the [`World`].

use std::rc::Rc;

use cache_runtime::Served;
use tests::promise::{How, Redis, Rows, Write};

use crate::world::World;

pub(crate) async fn reader(world: Rc<World>, process: usize, row: usize) {
    let (how, cache) = (How::any(world.of_all), &world.caches[process]);
    let family = how.family();
    let floor = world.floor(process, family, row);
    world.tell(format_args!(
        "process {process} reads {family:?} {row} ({how:?}), at least {floor:?}"
    ));
    let read = how.read(&*world, cache, row).await;
    world.tell(format_args!(
        "process {process} has read {family:?} {row}: {read:?}"
    ));
    world.reads.set(world.reads.get() + 1);
    let floor = floor.of(read.served == Some(Served::Shared));
    if let Some(version) = read.version
        && version < floor
    {
        let text = format!("process {process}, {family:?} {row}: {version} read after {floor}");
        world.violations.borrow_mut().push(text);
    }
}

pub(crate) async fn writer(world: Rc<World>, process: usize, row: usize, lossy: bool) {
    world.tell(format_args!("process {process} writes row {row}"));
    let write = Write::any(&*world, &world.caches[process], row).await;
    let confirmed = match write.redis {
        Redis::Confirmed => true,
        Redis::Untold => !lossy,
        Redis::Refused | Redis::Dropped => false,
    };
    world.complete(process, row, &write, confirmed);
    world.evictions.set(world.evictions.get() + 1);
}
