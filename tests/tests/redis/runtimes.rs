//! Processes with more than one runtime.

use std::sync::atomic::{AtomicU64, Ordering};

use cache_runtime::{Key, Served, cacheable, traced};
use tests::scenarios::processes::process;
use tests::server::RedisServer;
use tokio::runtime::Runtime;

#[cacheable(key = "thing:{id}", ttl = "1h")]
async fn thing(version: &AtomicU64, id: u64) -> u64 {
    let _ = id;
    version.load(Ordering::SeqCst)
}

#[test]
fn memory_is_not_believed_when_the_runtime_is_gone_that_heard_of_evictions() {
    let runtime = || Runtime::new().expect("a runtime");
    let (first, second) = (runtime(), runtime());
    let server = second.block_on(RedisServer::start());
    let one = first.block_on(process(&server));
    let two = second.block_on(process(&server));
    let version = AtomicU64::new(1);
    let read = || one.as_current(traced(thing(&version, 7)));
    while first.block_on(read()).1 != Some(Served::Memory) {}
    drop(first);

    version.store(2, Ordering::SeqCst);
    let evicted = second.block_on(two.evict(Key::new("thing:7")));
    evicted.expect("the server is up");
    assert_eq!(second.block_on(read()).0, 2);
}
