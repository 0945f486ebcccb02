//! `consistency_check`: what was changed behind the cache's back is found, told and healed.

use cache_runtime::{Key, Policy, Served};

use crate::origin::{MILLI, Origin, SECOND, every_kind, fleet, settle};
use tests::caches::assert_nothing_left;
use tests::logs::Logs;
use tokio::time::sleep;

fn policy(share: f64) -> Policy {
    Policy::new().ttl(60 * SECOND).consistency_check(share)
}

#[tokio::test(start_paused = true)]
async fn a_difference_is_counted_and_evicted_in_the_fleet() {
    let ([one, other], _) = fleet().await;
    let origin = Origin::new();
    for cache in [&one, &other] {
        origin
            .ask(cache, "a", &policy(0.0))
            .await
            .0
            .expect("it answers");
    }
    origin.becomes(1);
    let answer = origin.ask(&one, "a", &policy(1.0)).await;
    assert_eq!(
        answer,
        (Ok(0), Served::Memory),
        "nobody waits for a comparison"
    );
    sleep(SECOND).await;
    let stats = one.stats().total;
    assert_eq!(
        (stats.consistency_checks, stats.consistency_differences),
        (1, 1)
    );
    assert_eq!(stats.consistency(), Some(0.0));
    for cache in [&one, &other] {
        assert_eq!(origin.ask(cache, "a", &policy(0.0)).await.0, Ok(1));
    }
}

#[tokio::test(start_paused = true)]
async fn what_agrees_is_left_alone() {
    for (kind, cache) in every_kind().await {
        let origin = Origin::new();
        let ask = async || origin.ask(&cache, "a", &policy(1.0)).await;
        ask().await.0.expect("it answers");
        for _ in 0..10 {
            assert_eq!(ask().await, (Ok(0), Served::Memory), "{kind}");
            settle().await;
        }
        let stats = cache.stats().total;
        assert_eq!(stats.consistency_checks, 10, "{kind}");
        assert_eq!(stats.consistency(), Some(1.0), "{kind}");
        assert_nothing_left(&cache);
    }
}

#[tokio::test(start_paused = true)]
async fn the_share_is_a_share() {
    for (kind, cache) in every_kind().await {
        let origin = Origin::new();
        let ask = async || origin.ask(&cache, "a", &policy(0.25)).await;
        for _ in 0..400 {
            ask().await.0.expect("it answers");
            settle().await;
        }
        let checks = cache.stats().total.consistency_checks;
        assert!((60..=140).contains(&checks), "{kind}: {checks} of 399");
    }
}

// Row: Something is evicted meanwhile: consistency_check
#[tokio::test(start_paused = true)]
async fn a_write_that_is_about_to_evict_is_no_difference() {
    for (kind, cache) in every_kind().await {
        let origin = Origin::new();
        let ask = async || origin.ask(&cache, "a", &policy(1.0)).await;
        ask().await.0.expect("it answers");
        origin.becomes(1);
        ask().await.0.expect("it is there");
        sleep(100 * MILLI).await;
        cache.evict(Key::new("a")).await.expect("it is confirmed");
        sleep(SECOND).await;
        assert_eq!(cache.stats().total.consistency_differences, 0, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_difference_is_told_once_by_its_region_and_without_the_values() {
    let (cache, origin) = (crate::origin::alone(), Origin::new());
    origin.becomes(4_711);
    let ask = async || origin.ask(&cache, "a", &policy(1.0)).await;
    ask().await.0.expect("it answers");
    origin.becomes(8_150);
    let logs = Logs::capture();
    ask().await.0.expect("it is there");
    sleep(SECOND).await;
    let seen = logs.seen();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen[0].1.contains("differs from the origin's"), "{seen:?}");
    let all = format!("{:?}", logs.all());
    assert!(!all.contains("4711") && !all.contains("8150"), "{all}");
}
