//! How the best caching systems behave: the cases of sections D, E and F of the list of behaviour cases that no other test here shows.
//!
//! D1, D2, D4: background.rs. D5: rows/redis_slow.rs. D7, D19, E1, E5, E6, E21: stale.rs. D8: rows/waiting.rs. D12, F5: rows/values.rs. D13, D15, D16: timers.rs. D14,
//! E22, F9: rows/loads.rs. E9, E19: rows/ends.rs, rows/tiers.rs. E10, E11: timeouts.rs, rows/timeouts.rs. E20: rows/stale.rs. E23: rows/forced.rs. F1: memory/freshness.rs.
//! F7: known.rs, annotated.rs. F8: rows/forced.rs.

use std::time::Duration;

use cache_runtime::{Evict, Policy, Served, Why, cacheable, traced};

use crate::case::{Failed, each, pass, site, timed};
use crate::origin::{Down, MILLI, Origin, SECOND, Way, fleet, settle};
use crate::stale::futures_of;

const FAILED: Served = Served::Stale(Why::Failed);

fn policy() -> Policy {
    Policy::new().ttl(10 * SECOND)
}

#[tokio::test(start_paused = true)]
async fn d6_a_refreshed_entry_has_the_tags_of_the_call_that_refreshed_it() {
    for case in each(policy().background_refresh(0.5).tags(["t"])).await {
        case.begin().await;
        pass(6.0).await;
        case.is(case.ask().await, Ok(0), Served::Memory);
        settle().await;
        case.is(case.ask().await, Ok(1), Served::Memory);
        case.origin.becomes(2);
        case.cache
            .evict(Evict::tag("t"))
            .await
            .expect("it is confirmed");
        case.is(case.ask().await, Ok(2), Served::Loaded);
    }
}

#[tokio::test(start_paused = true)]
async fn d10_a_thousand_hits_at_the_refresh_age_are_one_load() {
    for case in each(policy().background_refresh(0.5)).await {
        case.begin().await;
        case.origin.takes(SECOND);
        pass(6.0).await;
        let (answers, took) = timed(futures_of((0..1_000).map(|_| case.ask()))).await;
        assert!(answers.iter().all(|it| *it == (Ok(0), Served::Memory)));
        case.took(took, Duration::ZERO);
        pass(1.1).await;
        case.loads(2);
    }
}

#[tokio::test(start_paused = true)]
async fn e3_without_a_window_a_failure_is_an_error() {
    for case in each(policy()).await {
        case.begin().await;
        case.origin.goes(Way::Fails);
        pass(11.0).await;
        case.is(case.ask().await, Err(Down), Served::Loaded);
    }
}

#[tokio::test(start_paused = true)]
async fn e8_a_pause_of_nothing_is_no_pause_whatever_the_jitter() {
    let policy = policy()
        .stale_if_error(60 * SECOND)
        .retry_after(Duration::ZERO)
        .jitter(1.0);
    for case in each(policy).await {
        case.begin().await;
        case.origin.goes(Way::Fails);
        pass(11.0).await;
        for tries in 2..5 {
            case.is(case.ask().await, Ok(0), FAILED);
            case.loads(tries);
            tokio::time::sleep(2 * MILLI).await;
        }
    }
}

site!(hard -> u64, ttl = "60s", hard_timeout = "300ms");

#[tokio::test(start_paused = true)]
async fn e12_a_load_that_ends_late_is_in_both_tiers() {
    let soft = policy()
        .stale_if_error(60 * SECOND)
        .soft_timeout(300 * MILLI);
    let ([one, other], _) = fleet().await;
    let origin = Origin::new();
    let ask = async |cache| origin.ask(cache, "a", &soft).await;
    ask(&one).await.0.expect("it answers");
    origin.becomes(1);
    origin.takes(SECOND);
    pass(11.0).await;
    let old = (Ok(0), Served::Stale(Why::SoftTimeout));
    assert_eq!([ask(&one).await, ask(&one).await], [old, old]);
    pass(1.0).await;
    assert_eq!(ask(&one).await, (Ok(1), Served::Memory));
    assert_eq!(ask(&other).await, (Ok(1), Served::Redis));
    // After a hard timeout as well.
    let [desk, elsewhere] = [one, other].map(|cache| crate::case::Desk {
        cache,
        origin: origin.clone(),
    });
    desk.cache
        .evict(Evict::all())
        .await
        .expect("it is confirmed");
    assert_eq!(hard(desk.clone()).await, Err(Failed::Late(300 * MILLI)));
    pass(1.0).await;
    let served = |served| (Ok(1), Some(served));
    assert_eq!(traced(hard(desk)).await, served(Served::Memory));
    assert_eq!(traced(hard(elsewhere)).await, served(Served::Redis));
    assert_eq!(origin.loads(), 3);
}

#[tokio::test(start_paused = true)]
async fn e13_a_failure_in_the_background_reaches_nobody_and_gives_the_lease_back() {
    let soft = policy()
        .stale_if_error(60 * SECOND)
        .soft_timeout(300 * MILLI)
        .retry_after(SECOND);
    for way in [Way::Fails, Way::Panics] {
        let ([cache], model) = fleet().await;
        let origin = Origin::new();
        let ask = async || origin.ask(&cache, "a", &soft).await;
        ask().await.0.expect("it answers");
        origin.goes(way);
        origin.takes(SECOND);
        pass(11.0).await;
        assert_eq!(ask().await, (Ok(0), Served::Stale(Why::SoftTimeout)));
        assert_eq!(model.leases(), 1);
        pass(1.1).await;
        assert_eq!(model.leases(), 0, "{way:?}");
        origin.goes(Way::Answers);
        origin.becomes(1);
        origin.takes(Duration::ZERO);
        pass(1.1).await;
        assert_eq!(ask().await, (Ok(1), Served::Loaded), "{way:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn e18_of_two_stale_values_the_newer_one_in_redis_is_served() {
    let ([one, other], _) = fleet().await;
    let origin = Origin::new();
    let hidden = policy().stale_if_error(60 * SECOND);
    let ask = async |cache| origin.ask(cache, "a", &hidden).await;
    ask(&one).await.0.expect("it answers");
    origin.becomes(1);
    pass(11.0).await;
    assert_eq!(ask(&other).await, (Ok(1), Served::Loaded));
    origin.goes(Way::Fails);
    pass(11.0).await;
    assert_eq!(ask(&one).await, (Ok(1), FAILED));
}

fn life(value: &u64) -> Duration {
    (*value as u32) * SECOND
}

site!(adaptive -> u64, ttl_from = life, stale_if_error = "60s", soft_timeout = "300ms");

#[tokio::test(start_paused = true)]
async fn f2_a_load_that_ends_in_the_background_has_the_life_its_value_says() {
    for case in each(Policy::new()).await {
        let ask = async || traced(adaptive(case.desk())).await;
        case.origin.becomes(10);
        assert_eq!(ask().await, (Ok(10), Some(Served::Loaded)));
        case.origin.becomes(5);
        case.origin.takes(SECOND);
        pass(11.0).await;
        assert_eq!(ask().await.1, Some(Served::Stale(Why::SoftTimeout)));
        pass(1.0).await;
        assert_eq!(ask().await, (Ok(5), Some(Served::Memory)), "{}", case.kind);
        pass(5.0).await;
        assert_eq!(ask().await.1, Some(Served::Stale(Why::SoftTimeout)));
    }
}
