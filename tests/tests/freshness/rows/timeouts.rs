//! With each other: timeouts, shared errors, timers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cache_runtime::{LoadTimeout, Policy, Served, Why, cacheable, traced};

use crate::case::{Failed, each, pass, site, timed};
use crate::origin::{MILLI, SECOND, Way, ZERO, settle};

const MEMORY: Served = Served::Memory;
const SOFT: Served = Served::Stale(Why::SoftTimeout);
const HARD: Served = Served::Stale(Why::HardTimeout);

// As literals they would not compile: a soft timeout is the shorter one.
const EVEN: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(5);

site!(kept -> u64, ttl = "10s", stale_if_error = "60s", retry_after = "30s", soft_timeout = LONG, hard_timeout = EVEN);

// Row: With each other: retry_after, soft_timeout or hard_timeout
#[tokio::test(start_paused = true)]
async fn a_timeout_begins_no_pause() {
    let policy = Policy::new()
        .ttl(10 * SECOND)
        .stale_if_error(60 * SECOND)
        .retry_after(30 * SECOND)
        .soft_timeout(300 * MILLI);
    for case in each(policy).await {
        case.begin().await;
        case.origin.takes(2 * SECOND);
        pass(11.0).await;
        case.is(case.ask().await, Ok(0), SOFT);
        // Waited again: it is not throttled.
        case.is(case.ask().await, Ok(0), SOFT);
        pass(2.0).await;
        case.is(case.ask().await, Ok(1), MEMORY);
    }
    for case in each(Policy::new()).await {
        let ask = async || traced(kept(case.desk())).await;
        assert_eq!(ask().await.0, Ok(0));
        case.origin.takes(2 * SECOND);
        pass(11.0).await;
        assert_eq!(ask().await, (Ok(0), Some(HARD)));
        assert_eq!(ask().await, (Ok(0), Some(HARD)));
    }
}

// Row: With each other: retry_after, refresh_every
#[tokio::test(start_paused = true)]
async fn a_period_that_is_shorter_than_the_pause_waits_for_it() {
    let policy = Policy::new()
        .ttl(1_000 * SECOND)
        .refresh_every(2 * SECOND)
        .idle(1_000 * SECOND)
        .retry_after(5 * SECOND);
    for case in each(policy).await {
        case.begin().await;
        case.origin.goes(Way::Fails);
        let mut loads = Vec::new();
        for _ in 0..40 {
            pass(1.0).await;
            loads.push(case.origin.loads());
        }
        // At 2 s, then after 5, 10, and 20.
        let at = |second: usize| loads[second - 1];
        let seen = [at(3), at(6), at(8), at(16), at(18), at(36), at(39)];
        assert_eq!(seen, [2, 2, 3, 3, 4, 4, 5], "{}: {loads:?}", case.kind);
    }
}

site!(even -> u64, ttl = "10s", stale_if_error = "20s", soft_timeout = EVEN, hard_timeout = EVEN);
site!(soft_first -> u64, ttl = "10s", stale_if_error = "20s", soft_timeout = "200ms", hard_timeout = "300ms");

// Row: With each other: soft_timeout, hard_timeout
#[tokio::test(start_paused = true)]
async fn the_shorter_timeout_acts_and_at_one_moment_the_soft_one() {
    for case in each(Policy::new()).await {
        assert_eq!(even(case.desk()).await, Ok(0));
        case.origin.takes(2 * SECOND);
        pass(11.0).await;
        let (answer, took) = timed(traced(even(case.desk()))).await;
        assert_eq!(answer, (Ok(0), Some(SOFT)), "{}", case.kind);
        case.took(took, 300 * MILLI);
        let (answer, took) = timed(traced(soft_first(case.desk()))).await;
        assert_eq!(answer, (Ok(0), Some(SOFT)), "{}", case.kind);
        case.took(took, 200 * MILLI);
        let (answer, took) = timed(traced(kept(case.desk()))).await;
        assert_eq!(answer, (Ok(0), Some(HARD)), "{}", case.kind);
        case.took(took, 300 * MILLI);
        pass(60.0).await;
        let (answer, took) = timed(soft_first(case.desk())).await;
        assert_eq!(answer, Err(Failed::Late(300 * MILLI)), "{}", case.kind);
        case.took(took, 300 * MILLI);
    }
}

// Row: With each other: soft_timeout or hard_timeout, refresh_every
#[tokio::test(start_paused = true)]
async fn a_call_joins_the_timers_refresh_and_waits_as_for_any_load() {
    let policy = Policy::new()
        .ttl(5 * SECOND)
        .refresh_every(5 * SECOND)
        .stale_if_error(20 * SECOND)
        .soft_timeout(300 * MILLI);
    for case in each(policy).await {
        case.begin().await;
        case.origin.takes(2 * SECOND);
        pass(5.5).await;
        case.loads(2);
        let (answer, took) = timed(case.ask()).await;
        case.is(answer, Ok(0), SOFT);
        case.took(took, 300 * MILLI);
        pass(1.5).await;
        case.is(case.ask().await, Ok(1), MEMORY);
        case.loads(2);
    }
}

site!(checked -> u64, ttl = "60s", hard_timeout = "300ms", consistency_check = 1.0);

// Row: With each other: soft_timeout or hard_timeout, consistency_check
#[tokio::test(start_paused = true)]
async fn a_check_has_no_timeout_and_keeps_nobody_waiting() {
    for case in each(Policy::new()).await {
        assert_eq!(checked(case.desk()).await, Ok(0));
        case.origin.takes(5 * SECOND);
        let (answer, took) = timed(checked(case.desk())).await;
        assert_eq!(answer, Ok(0), "{}", case.kind);
        case.took(took, ZERO);
        pass(5.1).await;
        let stats = case.cache.stats().total;
        assert_eq!(
            (stats.consistency_checks, stats.timeouts),
            (1, 0),
            "{}",
            case.kind
        );
    }
}

static LATE: AtomicUsize = AtomicUsize::new(0);
static SHARED: AtomicUsize = AtomicUsize::new(0);

fn late(timeout: LoadTimeout) -> Failed {
    LATE.fetch_add(1, Ordering::Relaxed);
    timeout.into()
}

fn share(error: &Failed) -> Failed {
    SHARED.fetch_add(1, Ordering::Relaxed);
    error.clone()
}

site!(own_timeouts -> u64, ttl = "10s", hard_timeout = "300ms", on_timeout = late, share_errors = share);

// Row: With each other: on_timeout, share_errors
#[tokio::test(start_paused = true)]
async fn each_caller_makes_its_own_timeout() {
    for (number, case) in each(Policy::new()).await.into_iter().enumerate() {
        case.origin.takes(SECOND);
        let (one, two, three) = tokio::join!(
            own_timeouts(case.desk()),
            own_timeouts(case.desk()),
            own_timeouts(case.desk())
        );
        for answer in [one, two, three] {
            assert_eq!(answer, Err(Failed::Late(300 * MILLI)), "{}", case.kind);
        }
        case.loads(1);
        assert_eq!(LATE.load(Ordering::Relaxed), 3 * (number + 1));
        assert_eq!(SHARED.load(Ordering::Relaxed), 0);
    }
}

static MADE: AtomicUsize = AtomicUsize::new(0);

fn make(error: &Failed) -> Failed {
    MADE.fetch_add(1, Ordering::Relaxed);
    error.clone()
}

site!(made -> u64, ttl = "10s", stale_if_error = "20s", share_errors = make);

// Row: With each other: stale_if_error, share_errors
#[tokio::test(start_paused = true)]
async fn no_error_is_made_for_those_who_get_the_stale_value() {
    for (number, case) in each(Policy::new()).await.into_iter().enumerate() {
        let many = async || {
            tokio::join!(
                traced(made(case.desk())),
                traced(made(case.desk())),
                traced(made(case.desk()))
            )
        };
        assert_eq!(many().await.0.0, Ok(0));
        case.origin.takes(100 * MILLI);
        case.origin.goes(Way::Fails);
        pass(12.0).await;
        let failed = (Ok(0), Some(Served::Stale(Why::Failed)));
        let (one, two, three) = many().await;
        assert_eq!([one, two, three], [failed.clone(), failed.clone(), failed]);
        let made_before = MADE.load(Ordering::Relaxed);
        assert!(made_before == 0 || number > 0, "{}", case.kind);
        pass(20.0).await;
        let (one, ..) = many().await;
        assert_eq!(one.0, Err(Failed::Down), "{}", case.kind);
        assert!(
            MADE.load(Ordering::Relaxed) > made_before,
            "{}: two waited",
            case.kind
        );
    }
}

// Row: With each other: refresh_every, idle
#[tokio::test(start_paused = true)]
async fn a_key_that_is_idle_is_left_alone_until_the_next_call() {
    // Over more periods: timers.rs.
    let policy = Policy::new()
        .ttl(60 * SECOND)
        .refresh_every(5 * SECOND)
        .idle(12 * SECOND);
    for case in each(policy).await {
        case.begin().await;
        pass(30.0).await;
        case.loads(3);
        case.is(case.ask().await, Ok(1), MEMORY);
        pass(6.0).await;
        assert!(case.origin.loads() > 3, "{}", case.kind);
    }
}

// Row: With each other: refresh_every, consistency_check
#[tokio::test(start_paused = true)]
async fn refreshes_are_no_hits() {
    let policy = Policy::new()
        .ttl(60 * SECOND)
        .refresh_every(5 * SECOND)
        .consistency_check(1.0);
    for case in each(policy).await {
        case.begin().await;
        pass(22.0).await;
        settle().await;
        let stats = case.cache.stats().total;
        assert_eq!(
            (stats.refreshes, stats.consistency_checks),
            (4, 0),
            "{}",
            case.kind
        );
    }
}
