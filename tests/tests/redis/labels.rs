//! Tags, scopes, regions and all on a server: what they hold, what they expire, and what they leave alone.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cache_runtime::{Cache, Evict, Key, Policy, Served, cacheable, traced};
use tests::eventually;
use tests::scenarios::processes::{has, process, value_of};
use tests::server::RedisServer;

const MINUTE: Duration = Duration::from_secs(60);

#[cacheable(key = "shelf:{id}", tags = ["about:{id}"], scope = "owner:{id}", ttl = "1h")]
async fn shelf(loads: &AtomicU64, id: u64) -> u64 {
    let _ = id;
    loads.fetch_add(1, Ordering::SeqCst)
}

/// Its keys may lie below any region.
#[cacheable(key = "{kind}:list:{page}", ttl = "1h")]
async fn any_list(loads: &AtomicU64, kind: &str, page: u64) -> u64 {
    let _ = (kind, page);
    loads.fetch_add(1, Ordering::SeqCst)
}

/// Every label of the seventh shelf.
fn labels() -> [Evict; 4] {
    [
        Evict::tag("about:7"),
        Evict::scope("owner:7"),
        Evict::region("shelf"),
        Evict::all(),
    ]
}

async fn read(cache: &Cache, call: impl Future<Output = u64>) -> (u64, Served) {
    let (value, served) = cache.as_current(traced(call)).await;
    (value, served.expect("the call was annotated"))
}

/// Nobody gets anything but by loading, the second time as the first.
async fn nobody_stores<F: Future<Output = u64>>(
    caches: [&Cache; 3],
    call: impl Fn() -> F,
    what: &Evict,
) {
    for cache in [caches, caches].as_flattened() {
        assert_eq!(read(cache, call()).await.1, Served::Loaded, "{what:?}");
    }
}

#[tokio::test]
async fn held_label_is_stored_under_by_nobody_in_the_fleet() {
    let loads = AtomicU64::new(0);
    for what in labels() {
        let server = RedisServer::start().await;
        let (one, other) = (process(&server).await, process(&server).await);
        let call = || shelf(&loads, 7);
        eventually::holds("the other has it in memory", async || {
            read(&one, call()).await;
            read(&other, call()).await.1 == Served::Memory
        })
        .await;
        one.evict(what.clone().hold(MINUTE)).await.unwrap();
        // Neither a shorter hold nor another eviction ends it.
        let shorter = what.clone().hold(Duration::from_millis(1));
        other.evict(shorter.and(what.clone())).await.unwrap();
        let cold = process(&server).await;
        nobody_stores([&one, &other, &cold], call, &what).await;
    }
}

#[tokio::test]
async fn held_region_into_which_an_argument_leads_is_stored_in_by_nobody() {
    let (server, loads) = (RedisServer::start().await, AtomicU64::new(0));
    let (one, other) = (process(&server).await, process(&server).await);
    let call = || any_list(&loads, "shelf", 1);
    read(&one, call()).await;
    let what = Evict::region("shelf");
    one.evict(what.clone().hold(MINUTE)).await.unwrap();
    let cold = process(&server).await;
    nobody_stores([&cold, &one, &other], call, &what).await;
}

#[tokio::test]
async fn what_a_label_expires_stays_in_redis_and_is_loaded_anew() {
    let loads = AtomicU64::new(0);
    for what in labels() {
        let server = RedisServer::start().await;
        let (one, other) = (process(&server).await, process(&server).await);
        let call = || shelf(&loads, 7);
        let old = eventually::some("both have it in memory", async || {
            let (value, here) = read(&one, call()).await;
            let (_, there) = read(&other, call()).await;
            (here == Served::Memory && there == Served::Memory).then_some(value)
        })
        .await;
        one.expire(what.clone()).await.unwrap();
        let cold = process(&server).await;
        let stored = value_of("shelf:7:,owner%3A7");
        assert!(has(&server, &stored).await, "it may be served stale");
        let (new, served) = read(&cold, call()).await;
        assert_eq!(served, Served::Loaded, "{what:?}");
        assert_eq!(read(&one, call()).await, (new, Served::Redis), "{what:?}");
        eventually::holds("the other reads what is new", async || {
            read(&other, call()).await.0 != old
        })
        .await;
    }
}

#[tokio::test]
async fn tag_that_an_entry_carries_no_longer_does_not_reach_it() {
    let server = RedisServer::start().await;
    let (one, other) = (process(&server).await, process(&server).await);
    let (key, tagged) = (Key::new("item:7"), Policy::new().tags(["hot"]));
    one.put(&key, 1_u64, &tagged).await.unwrap();
    one.evict(&key).await.unwrap();
    one.put(&key, 2_u64, &Policy::new()).await.unwrap();
    one.evict(Evict::tag("hot")).await.unwrap();
    for cache in [&one, &other] {
        assert_eq!(cache.get(&key).await, Some(2_u64));
    }
}
