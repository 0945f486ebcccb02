//! What a Redis that says nothing may cost: one budget for a call, one deadline for an eviction, whatever they are made of.

use cache_runtime::testing::ModelRedis;
use cache_runtime::{Cache, ErrorKind, Evict, Key, cacheable, refresh};
use tests::model::{BUDGET, EVICT_DEADLINE, process, silence};
use tokio::time::Instant;

#[cacheable(key = "maybe", ttl = "1h")]
async fn maybe() -> Option<u8> {
    None
}

fn on_a_silent_redis() -> Cache {
    let redis = ModelRedis::new();
    silence(&redis);
    process(&redis)
}

#[tokio::test(start_paused = true)]
async fn a_load_that_removes_what_is_stored_stays_within_its_calls_budget() {
    let cache = on_a_silent_redis();
    let began = Instant::now();
    // There is nothing to store, and what may be stored has to go.
    assert_eq!(cache.as_current(refresh(maybe())).await, None);
    assert!(began.elapsed() < 2 * BUDGET, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_eviction_of_many_parts_waits_once_for_a_silent_redis() {
    let cache = on_a_silent_redis();
    let parts = ["a:*", "b:*", "c:*", "d:*"].map(Evict::pattern);
    let what = parts
        .into_iter()
        .fold(Evict::key(Key::new("k")), Evict::and);
    let began = Instant::now();
    let error = cache.evict(what).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Queued);
    assert!(
        began.elapsed() < 2 * EVICT_DEADLINE,
        "{:?}",
        began.elapsed()
    );
    assert_eq!(
        cache.health().queued_evictions,
        5,
        "what was not tried is queued as well"
    );
}
