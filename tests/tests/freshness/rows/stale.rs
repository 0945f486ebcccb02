//! With each other: values past their ttl.

use std::sync::atomic::{AtomicUsize, Ordering};

use cache_runtime::{LoadTimeout, Policy, Served, Why, cacheable, traced};

use crate::case::{Failed, each, pass, site, timed};
use crate::origin::{Down, MILLI, SECOND, Way, ZERO, settle};

const MEMORY: Served = Served::Memory;
const REVALIDATING: Served = Served::Stale(Why::Revalidating);
const FAILED: Served = Served::Stale(Why::Failed);
const THROTTLED: Served = Served::Stale(Why::Throttled);

fn policy() -> Policy {
    Policy::new().ttl(10 * SECOND)
}

// Row: With each other: stale_while_revalidate, stale_if_error
#[tokio::test(start_paused = true)]
async fn first_the_one_window_then_the_other() {
    let both = |swr: u32, sie: u32| {
        policy()
            .stale_while_revalidate(swr * SECOND)
            .stale_if_error(sie * SECOND)
    };
    for case in each(both(5, 20)).await {
        case.begin().await;
        case.origin.goes(Way::Fails);
        pass(13.0).await;
        case.is(case.ask().await, Ok(0), REVALIDATING);
        pass(7.0).await;
        case.is(case.ask().await, Ok(0), FAILED);
        pass(11.0).await;
        case.is(case.ask().await, Err(Down), Served::Loaded);
    }
    // One that is not longer is never reached.
    for case in each(both(20, 5)).await {
        case.begin().await;
        case.origin.goes(Way::Fails);
        for _ in 0..3 {
            pass(9.5).await;
            let served = case.ask().await.1;
            assert!(
                matches!(served, MEMORY | REVALIDATING),
                "{}: {served:?}",
                case.kind
            );
        }
        pass(2.0).await;
        case.is(case.ask().await, Err(Down), Served::Loaded);
    }
}

// Row: With each other: stale_while_revalidate, retry_after
#[tokio::test(start_paused = true)]
async fn a_revalidation_that_failed_is_tried_again_after_the_pause() {
    let policy = policy()
        .stale_while_revalidate(60 * SECOND)
        .retry_after(3 * SECOND);
    for case in each(policy).await {
        case.begin().await;
        case.origin.goes(Way::Fails);
        pass(11.0).await;
        let mut begun = Vec::new();
        for tick in 0..150 {
            let before = case.origin.loads();
            case.is(case.ask().await, Ok(0), REVALIDATING);
            settle().await;
            if case.origin.loads() > before {
                begun.push(tick);
            }
            tokio::time::sleep(95 * MILLI).await;
        }
        assert!(begun.len() >= 4, "{}: {begun:?}", case.kind);
        let pauses = begun.windows(2).map(|two| two[1] - two[0]);
        assert!(
            pauses.clone().all(|pause| (30..=31).contains(&pause)),
            "{}: {begun:?}",
            case.kind
        );
    }
}

site!(revalidated -> u64, ttl = "10s", stale_while_revalidate = "5s", hard_timeout = "300ms");

// Row: With each other: stale_while_revalidate, soft_timeout or hard_timeout
#[tokio::test(start_paused = true)]
async fn in_the_window_nobody_waits_and_after_it_timeouts_act() {
    let policy = policy()
        .stale_while_revalidate(5 * SECOND)
        .stale_if_error(20 * SECOND)
        .soft_timeout(300 * MILLI);
    for case in each(policy).await {
        case.begin().await;
        case.origin.takes(8 * SECOND);
        pass(13.0).await;
        let (answer, took) = timed(case.ask()).await;
        case.is(answer, Ok(0), REVALIDATING);
        case.took(took, ZERO);
        pass(3.0).await;
        let (answer, took) = timed(case.ask()).await;
        case.is(answer, Ok(0), Served::Stale(Why::SoftTimeout));
        case.took(took, 300 * MILLI);
        case.loads(2);
    }
    for case in each(Policy::new()).await {
        assert_eq!(revalidated(case.desk()).await, Ok(0));
        case.origin.takes(8 * SECOND);
        pass(13.0).await;
        let (answer, took) = timed(revalidated(case.desk())).await;
        assert_eq!(answer, Ok(0));
        case.took(took, ZERO);
        pass(3.0).await;
        let (answer, took) = timed(revalidated(case.desk())).await;
        assert_eq!(answer, Err(Failed::Late(300 * MILLI)));
        case.took(took, 300 * MILLI);
    }
}

// Row: With each other: stale_while_revalidate, refresh_every
#[tokio::test(start_paused = true)]
async fn the_window_is_for_failing_refreshes_and_for_who_comes_back() {
    let policy = policy()
        .stale_while_revalidate(100 * SECOND)
        .refresh_every(5 * SECOND)
        .idle(12 * SECOND);
    for case in each(policy.clone()).await {
        case.begin().await;
        pass(60.0).await;
        let loads = case.origin.loads();
        pass(20.0).await;
        case.loads(loads);
        assert_eq!(case.ask().await.1, REVALIDATING, "{}", case.kind);
        settle().await;
        case.loads(loads + 1);
    }
    for case in each(policy).await {
        case.begin().await;
        case.origin.goes(Way::Fails);
        pass(9.0).await;
        case.is(case.ask().await, Ok(0), MEMORY);
        for _ in 0..10 {
            pass(2.0).await;
            case.is(case.ask().await, Ok(0), REVALIDATING);
        }
        assert!(case.origin.loads() > 5, "{}", case.kind);
    }
}

// Row: With each other: stale_while_revalidate, consistency_check
// Row: With each other: stale_if_error, consistency_check
#[tokio::test(start_paused = true)]
async fn stale_hits_are_not_checked_and_a_failing_check_begins_no_pause() {
    let checked = policy().consistency_check(1.0).retry_after(30 * SECOND);
    for case in each(checked.clone().stale_while_revalidate(20 * SECOND)).await {
        case.begin().await;
        case.origin.goes(Way::Fails);
        pass(12.0).await;
        for _ in 0..3 {
            case.is(case.ask().await, Ok(0), REVALIDATING);
            pass(1.0).await;
        }
        // The refresh, and no check.
        case.loads(2);
    }
    for case in each(checked.stale_if_error(20 * SECOND)).await {
        case.begin().await;
        case.origin.goes(Way::Fails);
        pass(9.0).await;
        case.is(case.ask().await, Ok(0), MEMORY);
        settle().await;
        case.loads(2);
        pass(3.0).await;
        case.is(case.ask().await, Ok(0), FAILED);
        case.loads(3);
        case.is(case.ask().await, Ok(0), THROTTLED);
        settle().await;
        case.loads(3);
        assert_eq!(case.cache.stats().total.consistency_checks, 0);
    }
}

// Row: With each other: stale_if_error, retry_after
#[tokio::test(start_paused = true)]
async fn after_a_failure_stale_is_served_without_trying() {
    // In a fleet: stale.rs.
    let policy = policy().stale_if_error(60 * SECOND).retry_after(5 * SECOND);
    for case in each(policy).await {
        case.begin().await;
        case.origin.goes(Way::Fails);
        pass(11.0).await;
        for round in 0..3 {
            case.is(case.ask().await, Ok(0), FAILED);
            for _ in 0..9 {
                pass(0.5).await;
                case.is(case.ask().await, Ok(0), THROTTLED);
            }
            case.loads(2 + round);
            pass(0.6).await;
        }
    }
}

// Row: With each other: stale_if_error, soft_timeout
#[tokio::test(start_paused = true)]
async fn the_soft_timeout_or_the_failure_whichever_is_first() {
    let policy = policy()
        .stale_if_error(60 * SECOND)
        .soft_timeout(300 * MILLI)
        .retry_after(5 * SECOND);
    for case in each(policy).await {
        case.begin().await;
        case.origin.goes(Way::Fails);
        case.origin.takes(100 * MILLI);
        pass(11.0).await;
        let (answer, took) = timed(case.ask()).await;
        case.is(answer, Ok(0), FAILED);
        case.took(took, 100 * MILLI);
        case.origin.takes(SECOND);
        pass(5.1).await;
        let (answer, took) = timed(case.ask()).await;
        case.is(answer, Ok(0), Served::Stale(Why::SoftTimeout));
        case.took(took, 300 * MILLI);
        // The failure nobody waited for begins a pause too.
        pass(1.0).await;
        case.is(case.ask().await, Ok(0), THROTTLED);
    }
}

static MADE: AtomicUsize = AtomicUsize::new(0);

fn late(timeout: LoadTimeout) -> Failed {
    MADE.fetch_add(1, Ordering::Relaxed);
    timeout.into()
}

site!(hidden -> u64, ttl = "10s", stale_if_error = "20s", hard_timeout = "300ms", on_timeout = late);

// Row: With each other: stale_if_error, hard_timeout
// Row: With each other: stale_if_error, on_timeout
#[tokio::test(start_paused = true)]
async fn a_stale_value_takes_the_place_of_the_timeouts_error() {
    for (number, case) in each(Policy::new()).await.into_iter().enumerate() {
        let ask = async || traced(hidden(case.desk())).await;
        assert_eq!(ask().await, (Ok(0), Some(Served::Loaded)));
        case.origin.takes(40 * SECOND);
        pass(12.0).await;
        let (answer, took) = timed(ask()).await;
        assert_eq!(answer, (Ok(0), Some(Served::Stale(Why::HardTimeout))));
        case.took(took, 300 * MILLI);
        assert_eq!(MADE.load(Ordering::Relaxed), number, "{}", case.kind);
        pass(20.0).await;
        assert_eq!(ask().await.0, Err(Failed::Late(300 * MILLI)));
        assert_eq!(MADE.load(Ordering::Relaxed), number + 1);
        assert_eq!(case.cache.stats().total.timeouts, 2, "{}", case.kind);
    }
}

// Row: With each other: stale_if_error, refresh_every
#[tokio::test(start_paused = true)]
async fn a_stale_value_is_refreshed_at_its_turn_and_served_by_the_window() {
    let policy = Policy::new()
        .ttl(4 * SECOND)
        .refresh_every(5 * SECOND)
        .stale_if_error(60 * SECOND);
    for case in each(policy).await {
        case.begin().await;
        pass(5.1).await;
        case.loads(2);
        case.is(case.ask().await, Ok(1), MEMORY);
        case.origin.goes(Way::Fails);
        pass(6.0).await;
        for _ in 0..10 {
            pass(1.0).await;
            let (result, served) = case.ask().await;
            assert_eq!(result, Ok(1), "{}", case.kind);
            assert!(matches!(served, FAILED | THROTTLED), "{}", case.kind);
        }
    }
}
