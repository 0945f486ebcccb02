//! Readers and writers: what each does is decided by the seed, and what it may see by the [`World`].

use std::rc::Rc;

use tests::promise::{How, Redis, Write};
use tokio::time::Instant;

use crate::world::World;

pub(crate) async fn reader(world: Rc<World>, process: usize, row: usize) {
    let how = if world.fresh {
        How::any_fresh(world.of_all)
    } else {
        How::any(world.of_all)
    };
    let (cache, began) = (&world.caches[process], Instant::now());
    let family = how.family();
    let floor = world.floor(process, family, row);
    world.tell(format_args!(
        "process {process} reads {family:?} {row} ({how:?}), at least {floor:?}"
    ));
    let read = how.read(&world.by(process), cache, row).await;
    world.tell(format_args!(
        "process {process} has read {family:?} {row}: {read:?}"
    ));
    world.reads.set(world.reads.get() + 1);
    world.look_at_age(how, &read, row, began);
    let floor = floor.of(read.served);
    if let Some(version) = read.version
        && version < floor
    {
        let served = read.served;
        let text = format!(
            "process {process}, {family:?} {row}: {version} read after {floor} ({how:?}, {served:?})"
        );
        world.violations.borrow_mut().push(text);
    }
}

pub(crate) async fn writer(world: Rc<World>, process: usize, row: usize, lossy: bool) {
    world.tell(format_args!("process {process} writes row {row}"));
    let write = Write::any(&world.by(process), &world.caches[process], row).await;
    let confirmed = match write.redis {
        Redis::Confirmed => true,
        Redis::Untold => !lossy,
        Redis::Refused | Redis::Dropped => false,
    };
    world.complete(process, row, &write, confirmed);
    world.evictions.set(world.evictions.get() + 1);
}
