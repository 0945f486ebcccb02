//! With each other: refreshes before the ttl.

use cache_runtime::{Policy, Served, Why, cacheable};

use crate::case::{Failed, each, pass, site, timed};
use crate::origin::{MILLI, SECOND, Way, settle};

const MEMORY: Served = Served::Memory;

fn policy() -> Policy {
    Policy::new().ttl(10 * SECOND).background_refresh(0.5)
}

// Row: With each other: background_refresh, early_refresh
#[tokio::test(start_paused = true)]
async fn the_one_that_says_so_first_begins_the_one_refresh() {
    // With one beta the first hit is early enough, with the other none ever is.
    for (beta, first) in [(1e6, 0.1), (1e-9, 5.1)] {
        for case in each(policy().early_refresh(beta)).await {
            case.origin.takes(50 * MILLI);
            case.begin().await;
            if first > 5.0 {
                pass(4.9).await;
                case.is(case.ask().await, Ok(0), MEMORY);
                case.loads(1);
                pass(0.2).await;
            } else {
                pass(first).await;
            }
            for _ in 0..20 {
                case.is(case.ask().await, Ok(0), MEMORY);
                sleep_a_little().await;
            }
            case.loads(2);
            pass(0.1).await;
            case.is(case.ask().await, Ok(1), MEMORY);
        }
    }
}

async fn sleep_a_little() {
    tokio::time::sleep(MILLI).await;
}

// Row: With each other: background_refresh or early_refresh, stale_while_revalidate
#[tokio::test(start_paused = true)]
async fn a_refresh_that_still_runs_when_the_ttl_ends_is_the_one_of_the_window() {
    for policy in [policy(), Policy::new().ttl(10 * SECOND).early_refresh(1e6)] {
        for case in each(policy.stale_while_revalidate(20 * SECOND)).await {
            case.origin.takes(10 * MILLI);
            case.begin().await;
            case.origin.takes(3 * SECOND);
            pass(9.0).await;
            case.is(case.ask().await, Ok(0), MEMORY);
            pass(1.5).await;
            for _ in 0..5 {
                case.is(case.ask().await, Ok(0), Served::Stale(Why::Revalidating));
                settle().await;
            }
            case.loads(2);
            pass(1.6).await;
            case.is(case.ask().await, Ok(1), MEMORY);
        }
    }
}

// Row: With each other: background_refresh or early_refresh, stale_if_error
#[tokio::test(start_paused = true)]
async fn a_refresh_that_fails_leaves_the_value_and_the_window_is_for_later() {
    for policy in [policy(), Policy::new().ttl(10 * SECOND).early_refresh(1e6)] {
        for case in each(policy.stale_if_error(20 * SECOND)).await {
            case.origin.takes(10 * MILLI);
            case.begin().await;
            case.origin.goes(Way::Fails);
            pass(6.0).await;
            for _ in 0..3 {
                case.is(case.ask().await, Ok(0), MEMORY);
                pass(1.1).await;
            }
            pass(5.0).await;
            case.is(case.ask().await, Ok(0), Served::Stale(Why::Failed));
            pass(18.0).await;
            case.is(case.ask().await, Err(crate::origin::Down), Served::Loaded);
        }
    }
}

// Row: With each other: background_refresh or early_refresh, retry_after
#[tokio::test(start_paused = true)]
async fn a_pause_that_a_refresh_has_begun_holds_beyond_the_ttl() {
    // That it is doubled each time: background.rs.
    let policy = policy().stale_if_error(60 * SECOND).retry_after(5 * SECOND);
    for case in each(policy).await {
        case.begin().await;
        case.origin.goes(Way::Fails);
        pass(9.5).await;
        case.is(case.ask().await, Ok(0), MEMORY);
        pass(1.5).await;
        case.is(case.ask().await, Ok(0), Served::Stale(Why::Throttled));
        case.loads(2);
        pass(3.6).await;
        case.is(case.ask().await, Ok(0), Served::Stale(Why::Failed));
        case.loads(3);
    }
}

// Row: With each other: background_refresh or early_refresh, soft_timeout
#[tokio::test(start_paused = true)]
async fn a_call_after_the_ttl_joins_the_refresh_and_waits_for_the_soft_timeout() {
    let policy = policy()
        .stale_if_error(60 * SECOND)
        .soft_timeout(300 * MILLI);
    for case in each(policy).await {
        case.begin().await;
        case.origin.takes(3 * SECOND);
        pass(9.0).await;
        case.is(case.ask().await, Ok(0), MEMORY);
        pass(1.5).await;
        let (answer, took) = timed(case.ask()).await;
        case.is(answer, Ok(0), Served::Stale(Why::SoftTimeout));
        case.took(took, 300 * MILLI);
        case.loads(2);
        pass(1.5).await;
        case.is(case.ask().await, Ok(1), MEMORY);
    }
}

site!(bounded -> u64, ttl = "10s", background_refresh = 0.5, hard_timeout = "300ms");

// Row: With each other: background_refresh or early_refresh, hard_timeout
#[tokio::test(start_paused = true)]
async fn a_refresh_is_not_limited_but_who_joins_it_is() {
    for case in each(Policy::new()).await {
        let ask = async || bounded(case.desk()).await;
        assert_eq!(ask().await, Ok(0));
        case.origin.becomes(1);
        case.origin.takes(3 * SECOND);
        pass(9.0).await;
        assert_eq!(ask().await, Ok(0));
        pass(1.5).await;
        let (answer, took) = timed(ask()).await;
        assert_eq!(answer, Err(Failed::Late(300 * MILLI)), "{}", case.kind);
        case.took(took, 300 * MILLI);
        pass(1.5).await;
        assert_eq!(ask().await, Ok(1));
        case.loads(2);
        assert_eq!(case.cache.stats().total.timeouts, 1);
    }
}

// Row: With each other: background_refresh or early_refresh, refresh_every
#[tokio::test(start_paused = true)]
async fn the_period_counts_from_the_birth_of_what_a_hit_had_refreshed() {
    let policy = Policy::new()
        .ttl(60 * SECOND)
        .background_refresh(0.25)
        .refresh_every(20 * SECOND);
    for case in each(policy).await {
        case.begin().await;
        for _ in 0..70 {
            pass(1.0).await;
            case.ask().await.0.expect("it is there");
            settle().await;
        }
        // One every 15 or 16 seconds, and none of the timer's.
        case.loads(5);
        assert_eq!(case.cache.stats().total.refreshes, 4, "{}", case.kind);
    }
}

// Row: With each other: background_refresh or early_refresh, consistency_check
#[tokio::test(start_paused = true)]
async fn a_hit_that_begins_a_refresh_is_not_checked() {
    for case in each(policy().consistency_check(1.0)).await {
        case.begin().await;
        case.origin.becomes(0);
        pass(6.0).await;
        case.is(case.ask().await, Ok(0), MEMORY);
        settle().await;
        let stats = case.cache.stats().total;
        assert_eq!(
            (stats.refreshes, stats.consistency_checks),
            (1, 0),
            "{}",
            case.kind
        );
        case.is(case.ask().await, Ok(0), MEMORY);
        settle().await;
        assert_eq!(case.cache.stats().total.consistency_checks, 1);
    }
}
