//! What every load in the background does.

use cache_runtime::testing::leftovers;
use cache_runtime::{Policy, Served, Why, cacheable};
use tests::caches::assert_nothing_left;

use crate::case::{each, pass, site};
use crate::origin::{MILLI, Origin, SECOND, Way, fleet, settle};

fn policy() -> Policy {
    Policy::new().ttl(10 * SECOND).background_refresh(0.5)
}

// Row: What every load in the background does: it begins
#[tokio::test(start_paused = true)]
async fn a_refresh_that_does_not_get_the_lease_does_not_run() {
    let ([one, other], model) = fleet().await;
    let origin = Origin::new();
    let ask = async |cache| origin.ask(cache, "a", &policy()).await;
    for cache in [&one, &other] {
        ask(cache).await.0.expect("it answers");
    }
    origin.takes(2 * SECOND);
    pass(6.0).await;
    ask(&one).await.0.expect("it is there");
    settle().await;
    assert_eq!(model.leases(), 1);
    ask(&other).await.0.expect("it is there");
    pass(1.0).await;
    assert_eq!(origin.loads(), 2);
    pass(2.0).await;
    assert_eq!((origin.loads(), model.leases()), (2, 0));
}

// Row: What every load in the background does: it fails, or panics
#[tokio::test(start_paused = true)]
async fn a_refresh_that_fails_or_panics_leaves_the_value_and_a_pause() {
    for way in [Way::Fails, Way::Panics] {
        for case in each(policy().retry_after(2 * SECOND)).await {
            case.begin().await;
            case.origin.goes(way);
            pass(6.0).await;
            for _ in 0..15 {
                case.is(case.ask().await, Ok(0), Served::Memory);
                tokio::time::sleep(100 * MILLI).await;
            }
            case.loads(2);
            pass(0.7).await;
            case.is(case.ask().await, Ok(0), Served::Memory);
            settle().await;
            case.loads(3);
            if way == Way::Fails {
                assert_eq!(case.cache.stats().total.refresh_errors, 2, "{}", case.kind);
            }
        }
    }
}

fn is_odd(value: &u64) -> bool {
    value % 2 == 1
}

site!(vetoed -> u64, ttl = "10s", background_refresh = 0.5, stale_if_error = "5s", retry_after = "2s", unless = is_odd);

// Row: What every load in the background does: its value is not stored (unless, a hold, Redis) and the old one stays
// Row: unless says true: background_refresh, early_refresh, refresh_every
// Row: unless says true: stale_if_error, retry_after
#[tokio::test(start_paused = true)]
async fn a_value_that_is_refused_leaves_the_old_one_and_the_next_try_waits() {
    for case in each(Policy::new()).await {
        let ask = async || vetoed(case.desk()).await;
        assert_eq!(ask().await, Ok(0));
        case.origin.becomes(1);
        pass(6.0).await;
        for _ in 0..15 {
            assert_eq!(ask().await, Ok(0));
            tokio::time::sleep(100 * MILLI).await;
        }
        case.loads(2);
        pass(0.7).await;
        assert_eq!(ask().await, Ok(0));
        settle().await;
        case.loads(3);
        // In the foreground the caller gets what is refused, and no pause begins.
        pass(3.0).await;
        case.cache
            .expire(cache_runtime::Key::new("a"))
            .await
            .expect("it is confirmed");
        assert_eq!(ask().await, Ok(1), "{}", case.kind);
        assert_eq!(ask().await, Ok(1), "{}", case.kind);
        case.loads(5);
        case.origin.goes(Way::Fails);
        assert_eq!(ask().await, Ok(0), "{}: the stale one stays", case.kind);
    }
}

// Row: What every load in the background does: more run than the bound of the process
#[tokio::test(start_paused = true)]
async fn what_has_no_place_is_asked_for_again() {
    // With more of it: background.rs.
    for case in each(policy()).await {
        let keys: Vec<_> = (0..260).map(|n| format!("k{n}")).collect();
        let all = async || {
            for key in &keys {
                let answer = case.origin.ask(&case.cache, key, &case.policy).await;
                answer.0.expect("it is there");
            }
        };
        all().await;
        case.origin.takes(SECOND);
        pass(6.0).await;
        all().await;
        settle().await;
        assert_eq!(case.cache.stats().total.refreshes_skipped, 4);
        pass(1.0).await;
        all().await;
        pass(1.1).await;
        case.loads(520);
    }
}

// Row: What every load in the background does: it takes longer than 30 s
#[tokio::test(start_paused = true)]
async fn after_thirty_seconds_nobody_joins_and_after_more_it_is_dropped() {
    let policy = Policy::new()
        .ttl(10 * SECOND)
        .stale_if_error(600 * SECOND)
        .soft_timeout(MILLI);
    for case in each(policy).await {
        case.begin().await;
        case.origin.takes(40 * SECOND);
        pass(11.0).await;
        case.is(case.ask().await, Ok(0), Served::Stale(Why::SoftTimeout));
        pass(29.0).await;
        case.is(case.ask().await, Ok(0), Served::Stale(Why::SoftTimeout));
        case.loads(2);
        pass(2.0).await;
        case.is(case.ask().await, Ok(0), Served::Stale(Why::SoftTimeout));
        let with_redis = case.kind != "memory alone";
        case.loads(if with_redis { 3 } else { 2 });
        pass(9.0).await;
        // With Redis what it has brought by now is not stored.
        let served = case.ask().await.1;
        assert_eq!(served != Served::Memory, with_redis, "{}", case.kind);
    }
    // What takes longer still is dropped, because nobody waits for it.
    for case in each(Policy::new()).await {
        case.origin.takes(50 * SECOND);
        let late = bounded(case.desk()).await;
        assert!(late.is_err(), "{}", case.kind);
        pass(44.0).await;
        case.origin.takes(MILLI);
        case.origin.becomes(1);
        let joinable = usize::from(case.kind == "memory alone");
        assert_eq!(leftovers(&case.cache).flights, joinable, "{}", case.kind);
        pass(2.0).await;
        assert_nothing_left(&case.cache);
        assert_eq!(bounded(case.desk()).await, Ok(1), "{}", case.kind);
    }
}

site!(bounded -> u64, ttl = "10s", hard_timeout = "300ms");

// Row: What every load in the background does: the body panics in the caller's own load, with a stale value at hand
#[tokio::test(start_paused = true)]
async fn a_panic_in_the_callers_own_load_is_the_callers() {
    for case in each(Policy::new().ttl(10 * SECOND).stale_if_error(600 * SECOND)).await {
        case.begin().await;
        case.origin.goes(Way::Panics);
        pass(11.0).await;
        let task = case.clone();
        let answer = tokio::spawn(async move { task.ask().await }).await;
        assert!(answer.expect_err("it panics").is_panic(), "{}", case.kind);
        case.origin.goes(Way::Answers);
        case.is(case.ask().await, Ok(1), Served::Loaded);
    }
}

// Row: What every load in the background does: the load says not_modified
#[tokio::test(start_paused = true)]
async fn what_is_not_modified_has_a_new_life_and_new_windows() {
    for case in each(policy().stale_if_error(20 * SECOND)).await {
        case.begin().await;
        case.origin.goes(Way::NotModified);
        pass(6.0).await;
        case.is(case.ask().await, Ok(0), Served::Memory);
        settle().await;
        assert_eq!(case.cache.stats().total.not_modified, 1, "{}", case.kind);
        pass(9.0).await;
        case.is(case.ask().await, Ok(0), Served::Memory);
        settle().await;
        case.origin.goes(Way::Fails);
        pass(29.0).await;
        case.is(case.ask().await, Ok(0), Served::Stale(Why::Failed));
        pass(2.0).await;
        case.is(case.ask().await, Err(crate::origin::Down), Served::Loaded);
    }
}
