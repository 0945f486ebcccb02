//! Two tiers: what goes where, for how long, and what stays out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cache_runtime::testing::{Leftovers, ManualClock, leftovers};
use cache_runtime::{Key, Memory, Served, cacheable, traced};
use serde::{Deserialize, Serialize, Serializer};
use tests::eventually;
use tests::scenarios::functions::key;
use tests::scenarios::origin::Origin;
use tests::scenarios::processes::{ask, builder, connected, has, keys, process, value_of};
use tests::server::RedisServer;

#[tokio::test]
async fn promotion_keeps_age_and_remaining_life() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (one, source) = (process(&server).await, origin.source());
    let clock = ManualClock::new();
    let memory = Memory::new().max_age(Duration::from_secs(3600));
    let other = connected(builder(&server).memory(memory).manual_clock(clock.clone())).await;
    ask(&one, &source, 7).await;
    let old = Duration::from_millis(300);
    eventually::holds("the entry is of some age", async || {
        one.inspect(&Key::new(&key(7)))
            .await
            .unwrap()
            .redis
            .unwrap()
            .age
            >= old
    })
    .await;
    assert_eq!(ask(&other, &source, 7).await.1, Served::Redis);
    let info = other.inspect(&Key::new(&key(7))).await.unwrap();
    let (memory, redis) = (info.memory.unwrap(), info.redis.unwrap());
    assert!(memory.age >= old, "{memory:?}");
    assert!(
        memory.remaining <= Duration::from_secs(600) - old,
        "{memory:?}"
    );
    assert!(
        memory.remaining + Duration::from_secs(20) > redis.remaining,
        "and not much less: {memory:?} {redis:?}"
    );
    clock.advance(memory.remaining - Duration::from_millis(1));
    assert_eq!(ask(&other, &source, 7).await.1, Served::Memory);
    clock.advance(Duration::from_millis(1));
    assert_eq!(ask(&other, &source, 7).await.1, Served::Redis);
}

#[tokio::test]
async fn memory_keeps_what_redis_has_no_longer_than_max_age() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let clock = ManualClock::new();
    let memory = Memory::new().max_age(Duration::from_secs(2));
    let cache = connected(builder(&server).memory(memory).manual_clock(clock.clone())).await;
    for served in [Served::Loaded, Served::Redis, Served::Redis] {
        assert_eq!(ask(&cache, &origin.source(), 7).await.1, served);
        assert_eq!(ask(&cache, &origin.source(), 7).await.1, Served::Memory);
        clock.advance(Duration::from_secs(2));
    }
}

#[tokio::test]
async fn entry_lives_in_redis_as_long_as_its_ttl() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let cache = process(&server).await;
    ask(&cache, &origin.source(), 7).await;
    let left = server.cli(&["PTTL", &value_of(&key(7))]).await.int();
    assert!((580_000..=600_000).contains(&left), "{left}");
}

#[cacheable(key = "n:{id}", l1 = false)]
async fn without_l1(id: u64) -> u64 {
    id
}

#[cacheable(key = "n:{id}", l2 = false)]
async fn without_l2(id: u64) -> u64 {
    id
}

#[cacheable(key = "n:{id}", l1 = "1s")]
async fn short_l1(id: u64) -> u64 {
    id
}

#[tokio::test]
async fn site_without_l1_reads_redis_each_time() {
    let server = RedisServer::start().await;
    let cache = process(&server).await;
    for served in [Served::Loaded, Served::Redis, Served::Redis] {
        assert_eq!(
            cache.as_current(traced(without_l1(7))).await,
            (7, Some(served))
        );
    }
    assert!(
        cache
            .inspect(&Key::new("n:7"))
            .await
            .unwrap()
            .memory
            .is_none()
    );
}

#[tokio::test]
async fn site_without_l2_leaves_nothing_in_redis() {
    let server = RedisServer::start().await;
    let (one, other) = (process(&server).await, process(&server).await);
    for served in [Served::Loaded, Served::Memory] {
        assert_eq!(
            one.as_current(traced(without_l2(7))).await,
            (7, Some(served))
        );
    }
    assert_eq!(
        other.as_current(traced(without_l2(7))).await,
        (7, Some(Served::Loaded))
    );
    assert_eq!(keys(&server).await, [""; 0]);
}

#[tokio::test]
async fn site_with_a_short_l1_goes_back_to_redis() {
    let server = RedisServer::start().await;
    let clock = ManualClock::new();
    let cache = connected(builder(&server).manual_clock(clock.clone())).await;
    for served in [Served::Loaded, Served::Redis] {
        assert_eq!(cache.as_current(traced(short_l1(7))).await.1, Some(served));
        clock.advance(Duration::from_millis(999));
        assert_eq!(
            cache.as_current(traced(short_l1(7))).await.1,
            Some(Served::Memory)
        );
        clock.advance(Duration::from_millis(1));
    }
}

#[cacheable(key = "text:{length}", stampede_protection)]
async fn text(length: usize) -> String {
    "x".repeat(length)
}

#[tokio::test]
async fn oversized_value_is_returned_not_stored_and_counted() {
    let server = RedisServer::start().await;
    let cache = connected(builder(&server).max_value_bytes(100)).await;
    for round in 1..=2 {
        let (value, served) = cache.as_current(traced(text(200))).await;
        assert_eq!((value.len(), served), (200, Some(Served::Loaded)));
        assert_eq!(cache.stats().total.oversized, round);
    }
    assert_eq!(cache.as_current(text(98)).await.len(), 98);
    assert_eq!(cache.stats().total.oversized, 2);
    eventually::holds("no lease stays", async || {
        keys(&server).await == [value_of("text:98")]
    })
    .await;
    assert_eq!(leftovers(&cache), Leftovers::default());
}

/// Has a JSON form as long as the flag says so.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Fickle;

static HAS_A_FORM: AtomicBool = AtomicBool::new(true);

impl Serialize for Fickle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if HAS_A_FORM.load(Ordering::SeqCst) {
            return serializer.serialize_unit_struct("Fickle");
        }
        Err(serde::ser::Error::custom("not today"))
    }
}

#[cacheable(key = "fickle", l1 = false)]
async fn fickle() -> Fickle {
    Fickle
}

#[tokio::test]
async fn value_without_a_json_form_is_returned_not_stored_and_counted() {
    let server = RedisServer::start().await;
    let cache = process(&server).await;
    cache.as_current(fickle()).await;
    assert!(has(&server, &value_of("fickle")).await);
    HAS_A_FORM.store(false, Ordering::SeqCst);
    // Its successor is known and cannot take its place, so the old value goes.
    let refreshed = cache
        .as_current(traced(cache_runtime::refresh(fickle())))
        .await;
    assert_eq!(refreshed, (Fickle, Some(Served::Loaded)));
    assert_eq!(cache.stats().total.unserializable, 1);
    assert!(!has(&server, &value_of("fickle")).await);
    assert_eq!(
        cache.as_current(traced(fickle())).await.1,
        Some(Served::Loaded)
    );
    eventually::holds("no lease stays", async || keys(&server).await.is_empty()).await;
}
