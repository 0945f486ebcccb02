//! `#[cache_put]` and `Cache::put`: the value written is the value cached, or what was cached is evicted.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{
    Cache, ErrorKind, Evict, Key, Policy, Served, bypass, cache_evict, cache_put, cacheable,
    refresh, traced,
};
use tests::caches::{assert_nothing_left, build, builder, in_memory, on_manual_clock};
use tests::origin::Origin;

const POLICY: Policy = Policy::new();

#[cacheable(key = "product:{id}", ttl = "1h")]
async fn product(origin: Arc<Origin>, id: u64) -> u64 {
    origin.run().await
}

#[cache_put(key = "product:{id}", ttl = "10s")]
async fn update(id: u64, value: u64) -> Result<u64, String> {
    if value == 0 {
        Err("refused".to_owned())
    } else {
        Ok(value)
    }
}

#[cache_put(key = "product:{id}", condition = value > 10, unless = |value| *value > 100)]
async fn choosy(id: u64, value: u64) -> u64 {
    value
}

#[cache_put(key = "product:{result}")]
async fn by_result(value: u64) -> u64 {
    value
}

#[cache_put(key = "maybe", negative_ttl = "5s", ttl_from = |_| Duration::from_secs(3))]
async fn maybe(value: Option<u64>) -> Option<u64> {
    value
}

#[cache_evict(pattern = "list:*")]
#[cache_put(key = "product:{id}")]
async fn with_eviction(id: u64, value: u64) -> u64 {
    value
}

async fn stored(cache: &Cache) -> Option<u64> {
    cache.get(&Key::new("product:7")).await
}

#[tokio::test]
async fn a_put_runs_always_and_readers_see_its_value() {
    let (cache, origin) = (in_memory(), Origin::open());
    assert_eq!(cache.as_current(product(Arc::clone(&origin), 7)).await, 1);
    for value in [70, 71, 72] {
        assert_eq!(cache.as_current(update(7, value)).await, Ok(value));
        assert_eq!(
            cache
                .as_current(traced(product(Arc::clone(&origin), 7)))
                .await,
            (value, Some(Served::Memory))
        );
    }
    assert_eq!(origin.runs(), 1);
    assert_nothing_left(&cache);
}

#[tokio::test]
async fn a_put_has_the_life_its_own_options_say() {
    let (cache, clock) = on_manual_clock();
    cache.as_current(update(7, 70)).await.unwrap();
    clock.advance(Duration::from_secs(10));
    assert_eq!(stored(&cache).await, None);
    let remaining = async |cache: &Cache| {
        cache
            .inspect(&Key::new("maybe"))
            .await
            .unwrap()
            .memory
            .unwrap()
            .remaining
    };
    cache.as_current(maybe(Some(1))).await;
    assert_eq!(remaining(&cache).await, Duration::from_secs(3));
    cache.as_current(maybe(None)).await;
    assert_eq!(remaining(&cache).await, Duration::from_secs(5));
    assert_eq!(
        cache.get::<Option<u64>>(&Key::new("maybe")).await,
        Some(None)
    );
}

#[tokio::test]
async fn a_put_that_fails_evicts() {
    let (cache, origin) = (in_memory(), Origin::open());
    cache.as_current(product(Arc::clone(&origin), 7)).await;
    assert!(cache.as_current(update(7, 0)).await.is_err());
    assert_eq!(
        cache.as_current(product(origin, 7)).await,
        2,
        "what the failed update did is unknown"
    );
    assert_eq!(
        stored(&cache).await,
        Some(2),
        "an error is no reason to hold"
    );
    assert_nothing_left(&cache);
}

#[tokio::test]
async fn a_put_that_is_not_to_be_stored_evicts() {
    let cache = in_memory();
    cache
        .put(&Key::new("product:7"), 1_u64, &POLICY)
        .await
        .unwrap();
    assert_eq!(cache.as_current(choosy(7, 5)).await, 5);
    assert_eq!(
        stored(&cache).await,
        Some(1),
        "a false condition leaves the cache alone"
    );
    cache.as_current(choosy(7, 50)).await;
    assert_eq!(stored(&cache).await, Some(50));
    cache.as_current(choosy(7, 500)).await;
    assert_eq!(
        stored(&cache).await,
        None,
        "`unless`: the origin has changed, so what is stored is old"
    );
}

#[tokio::test]
async fn a_put_by_result_evicts_instead() {
    let cache = in_memory();
    for id in [7, 8] {
        cache
            .put(&Key::new(&format!("product:{id}")), 1_u64, &POLICY)
            .await
            .unwrap();
    }
    assert_eq!(cache.as_current(by_result(7)).await, 7);
    assert_eq!(stored(&cache).await, None);
    assert_eq!(cache.get::<u64>(&Key::new("product:8")).await, Some(1));
}

#[tokio::test]
async fn a_put_and_an_eviction_may_share_a_function() {
    let cache = in_memory();
    cache
        .put(&Key::new("list:1"), 1_u64, &POLICY)
        .await
        .unwrap();
    cache.as_current(with_eviction(7, 70)).await;
    assert_eq!(
        (
            stored(&cache).await,
            cache.get::<u64>(&Key::new("list:1")).await
        ),
        (Some(70), None)
    );
}

#[tokio::test]
async fn a_put_during_a_hold_evicts() {
    let (cache, clock) = on_manual_clock();
    cache
        .evict(Evict::key(Key::new("product:7")).hold(Duration::from_secs(5)))
        .await
        .unwrap();
    cache.as_current(update(7, 70)).await.unwrap();
    assert_eq!(stored(&cache).await, None);
    let error = cache
        .put(&Key::new("product:7"), 71_u64, &POLICY)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotStored);
    assert!(error.is_transient());
    clock.advance(Duration::from_secs(5));
    cache.as_current(update(7, 72)).await.unwrap();
    assert_eq!(stored(&cache).await, Some(72));
}

#[tokio::test]
async fn a_put_by_hand_replaces_and_one_too_large_evicts() {
    let cache = build(builder().max_value_bytes(10));
    let key = Key::new("text");
    for text in ["a", "b"] {
        cache.put(&key, text.to_owned(), &POLICY).await.unwrap();
        assert_eq!(cache.get::<String>(&key).await.as_deref(), Some(text));
    }
    let error = cache.put(&key, "x".repeat(11), &POLICY).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.is_transient()),
        (ErrorKind::Unstorable, false)
    );
    assert_eq!(cache.get::<String>(&key).await, None);
    assert_eq!(cache.stats().total.oversized, 1);
}

#[tokio::test]
async fn bypass_and_refresh_around_a_put() {
    let cache = in_memory();
    cache.as_current(refresh(update(7, 70))).await.unwrap();
    assert_eq!(stored(&cache).await, Some(70));
    cache.as_current(bypass(update(7, 71))).await.unwrap();
    assert_eq!(stored(&cache).await, None);
}
