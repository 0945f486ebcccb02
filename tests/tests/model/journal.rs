//! Evictions that wait for Redis: what they may and may not cost those who call meanwhile, and who delivers them.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::testing::{ModelRedis, leftovers};
use cache_runtime::{Cache, ErrorKind, Evict, Key, cache_evict, cacheable};
use tests::crowd::Crowd;
use tests::model::{answer, process, silence};
use tests::origin::Origin;
use tokio::time::{sleep, timeout};

const CALLERS: usize = 100;

#[cacheable(key = "product:{id}", ttl = "1h")]
async fn product(origin: Arc<Origin>, id: u64) -> u64 {
    origin.run().await
}

#[cache_evict(key = "product:{id}")]
async fn stuck(id: u64) {
    std::future::pending().await
}

/// A process that has evicted this while Redis said nothing.
async fn after_evicting(what: Evict, redis: &ModelRedis) -> Cache {
    let cache = process(redis);
    silence(redis);
    let error = cache.evict(what).await.expect_err("nobody answers");
    assert_eq!(error.kind(), ErrorKind::Queued);
    cache
}

/// The replays that fail meanwhile, and there are many of them, do not take from memory what was loaded after the eviction.
async fn is_loaded_once_in_an_outage(what: Evict) {
    let redis = ModelRedis::new();
    let cache = after_evicting(what, &redis).await;
    let origin = Origin::open();
    for _ in 0..200 {
        cache.as_current(product(Arc::clone(&origin), 7)).await;
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(origin.runs(), 1);
    assert!(cache.health().queued_evictions > 0);
}

#[tokio::test(start_paused = true)]
async fn a_key_whose_eviction_waits_is_cached_in_memory() {
    is_loaded_once_in_an_outage(Evict::key(Key::new("product:7"))).await;
}

#[tokio::test(start_paused = true)]
async fn a_pattern_or_all_that_waits_does_not_empty_memory_again_and_again() {
    is_loaded_once_in_an_outage(Evict::pattern("product:*")).await;
    is_loaded_once_in_an_outage(Evict::all()).await;
}

#[tokio::test(start_paused = true)]
async fn callers_of_a_key_whose_eviction_waits_share_a_load() {
    let redis = ModelRedis::new();
    let cache = after_evicting(Evict::key(Key::new("product:7")), &redis).await;
    let origin = Origin::closed();
    let crowd = Crowd::of(CALLERS, |_| call(&cache, &origin)).await;
    origin.reached(1).await;
    origin.open_gate();
    assert_eq!(crowd.answers().await, vec![1; CALLERS]);
    assert_eq!((origin.runs(), leftovers(&cache)), (1, Default::default()));
}

#[tokio::test(start_paused = true)]
async fn the_first_callers_after_an_outage_share_a_load() {
    // The background's replays come at random moments; so do those of the callers.
    for _ in 0..20 {
        let redis = ModelRedis::new();
        let cache = after_evicting(Evict::key(Key::new("product:7")), &redis).await;
        let origin = Origin::closed();
        answer(&redis, Duration::from_millis(5));
        let crowd = Crowd::of(CALLERS, |number| {
            let call = call(&cache, &origin);
            async move {
                sleep(Duration::from_micros(200) * u32::try_from(number).unwrap_or(0)).await;
                call.await
            }
        })
        .await;
        origin.reached(1).await;
        sleep(Duration::from_secs(1)).await;
        assert_eq!(cache.health().queued_evictions, 0);
        origin.open_gate();
        assert_eq!(crowd.answers().await, vec![1; CALLERS]);
        assert_eq!(leftovers(&cache), Default::default());
    }
}

fn call(cache: &Cache, origin: &Arc<Origin>) -> impl Future<Output = u64> + Send + 'static {
    let (cache, origin) = (cache.clone(), Arc::clone(origin));
    async move { cache.as_current(product(origin, 7)).await }
}

#[test]
fn an_eviction_queued_outside_a_runtime_is_delivered_by_later_calls_of_other_keys() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let redis = ModelRedis::new();
    let (cache, origin) = (process(&redis), Origin::open());
    let mut write = Box::pin(cache.as_current(stuck(7)));
    runtime.block_on(async {
        cache.as_current(product(Arc::clone(&origin), 7)).await;
        assert!(
            timeout(Duration::from_millis(10), write.as_mut())
                .await
                .is_err()
        );
    });
    drop(write);
    assert_eq!(cache.health().queued_evictions, 1);
    runtime.block_on(async {
        cache.as_current(product(origin, 8)).await;
        sleep(Duration::from_secs(10)).await;
        assert_eq!(cache.health().queued_evictions, 0);
        let other = process(&redis);
        assert_eq!(other.get::<u64>(&Key::new("product:7")).await, None);
        assert_eq!(other.get::<u64>(&Key::new("product:8")).await, Some(2));
    });
}

/// The body of the write whose future is dropped commits after all.
#[tokio::test(start_paused = true)]
async fn memory_is_cleared_again_when_the_eviction_is_delivered() {
    let redis = ModelRedis::new();
    let cache = process(&redis);
    silence(&redis);
    let origin = Origin::open();
    let dropped = timeout(Duration::from_millis(1), cache.as_current(stuck(7))).await;
    assert!(dropped.is_err());
    // Longer than the hold of a write whose outcome is unknown: what is loaded now stays in memory.
    sleep(Duration::from_secs(3)).await;
    let before = cache.as_current(product(Arc::clone(&origin), 7)).await;
    assert_eq!(
        cache.as_current(product(Arc::clone(&origin), 7)).await,
        before
    );

    answer(&redis, Duration::from_millis(5));
    while cache.health().queued_evictions > 0 {
        sleep(Duration::from_millis(50)).await;
    }
    assert_ne!(
        cache.as_current(product(Arc::clone(&origin), 7)).await,
        before
    );
}
