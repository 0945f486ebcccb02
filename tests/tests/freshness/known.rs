//! What a load knows of the value it is to replace.

use cache_runtime::{Key, Policy, Served, refresh};

use crate::origin::{MILLI, Origin, SECOND, Way, every_kind, settle};
use tokio::time::sleep;

#[tokio::test(start_paused = true)]
async fn what_is_not_modified_gets_a_whole_new_life() {
    for (kind, cache) in every_kind().await {
        let origin = Origin::new();
        let policy = Policy::new().ttl(10 * SECOND).background_refresh(0.5);
        let ask = async || origin.ask(&cache, "a", &policy).await;
        ask().await.0.expect("it answers");
        origin.goes(Way::NotModified);
        origin.becomes(9);
        for _ in 0..5 {
            sleep(6 * SECOND).await;
            assert_eq!(ask().await, (Ok(0), Served::Memory), "{kind}");
            settle().await;
        }
        assert_eq!(origin.loads(), 6, "{kind}");
        assert_eq!(cache.stats().total.not_modified, 5, "{kind}");
        let known = origin.known();
        assert_eq!(known[0], None, "{kind}");
        for known in &known[1..] {
            let (value, age) = known.expect("a refresh knows what it replaces");
            assert_eq!(value, 0, "{kind}");
            assert!(
                age >= 6 * SECOND - 10 * MILLI && age < 7 * SECOND,
                "{kind}: {age:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stale_value_is_known_to_the_load_that_a_caller_waits_for() {
    for (kind, cache) in every_kind().await {
        let origin = Origin::new();
        let policy = Policy::new().ttl(SECOND).stale_if_error(60 * SECOND);
        let ask = async || origin.ask(&cache, "a", &policy).await;
        ask().await.0.expect("it answers");
        origin.goes(Way::NotModified);
        sleep(5 * SECOND).await;
        assert_eq!(ask().await, (Ok(0), Served::Loaded), "{kind}");
        assert_eq!(ask().await, (Ok(0), Served::Memory), "{kind}");
        assert_eq!(cache.stats().total.not_modified, 1, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_known_of_what_was_evicted_or_to_a_forced_refresh() {
    for (kind, cache) in every_kind().await {
        let origin = Origin::new();
        let policy = Policy::new().ttl(SECOND).stale_if_error(60 * SECOND);
        let ask = async || origin.ask(&cache, "a", &policy).await;
        ask().await.0.expect("it answers");
        refresh(ask()).await.0.expect("it answers");
        cache.evict(Key::new("a")).await.expect("it is confirmed");
        ask().await.0.expect("it answers");
        assert_eq!(origin.known(), [None, None, None], "{kind}");
    }
}
