//! `expire` and `hold`.

use std::cell::RefCell;

use cache_runtime::{Event, Evict, Key, Policy, Served, Why, cacheable};

use crate::case::{Case, Failed, each, pass, site, timed};
use crate::origin::{Down, MILLI, SECOND, Way, settle};

const FAILED: Served = Served::Stale(Why::Failed);
const THROTTLED: Served = Served::Stale(Why::Throttled);
const REVALIDATING: Served = Served::Stale(Why::Revalidating);

fn policy() -> Policy {
    Policy::new().ttl(10 * SECOND)
}

async fn evict(case: &Case, what: impl Into<Evict>) {
    case.cache.evict(what).await.expect("it is confirmed");
}

async fn expire(case: &Case, what: impl Into<Evict>) {
    case.cache.expire(what).await.expect("it is confirmed");
}

// Row: expire: background_refresh, early_refresh
#[tokio::test(start_paused = true)]
async fn a_marked_value_is_no_hit_and_a_refresh_that_runs_is_broken() {
    for case in each(policy().background_refresh(0.5)).await {
        case.begin().await;
        case.origin.takes(SECOND);
        pass(6.0).await;
        case.is(case.ask().await, Ok(0), Served::Memory);
        settle().await;
        expire(&case, Key::new("a")).await;
        case.origin.becomes(2);
        case.origin.takes(2 * SECOND);
        case.is(case.ask().await, Ok(2), Served::Loaded);
        case.is(case.ask().await, Ok(2), Served::Memory);
        case.loads(3);
    }
}

// Row: expire: stale_while_revalidate
// Row: expire: stale_if_error
// Row: expire: retry_after
#[tokio::test(start_paused = true)]
async fn it_is_served_until_its_real_ttl_and_the_window_are_over() {
    for revalidates in [true, false] {
        let policy = if revalidates {
            policy().stale_while_revalidate(20 * SECOND)
        } else {
            policy().stale_if_error(20 * SECOND)
        };
        for case in each(policy.retry_after(4 * SECOND)).await {
            case.begin().await;
            case.origin.goes(Way::Fails);
            pass(2.0).await;
            expire(&case, Key::new("a")).await;
            let expected = if revalidates { REVALIDATING } else { FAILED };
            case.is(case.ask().await, Ok(0), expected);
            settle().await;
            case.loads(2);
            // It ends the pause as well: something has changed.
            expire(&case, Key::new("a")).await;
            case.is(case.ask().await, Ok(0), expected);
            settle().await;
            case.loads(3);
            pass(27.0).await;
            case.is(case.ask().await, Ok(0), expected);
            pass(1.5).await;
            case.is(case.ask().await, Err(Down), Served::Loaded);
        }
    }
}

site!(hard -> u64, ttl = "10s", hard_timeout = "300ms");

// Row: expire: soft_timeout
// Row: expire: hard_timeout
#[tokio::test(start_paused = true)]
async fn without_a_window_a_soft_timeout_serves_it_until_its_ttl_and_a_hard_one_never() {
    for case in each(policy().soft_timeout(300 * MILLI)).await {
        case.begin().await;
        case.origin.takes(4 * SECOND);
        pass(2.0).await;
        expire(&case, Key::new("a")).await;
        let (answer, took) = timed(case.ask()).await;
        case.is(answer, Ok(0), Served::Stale(Why::SoftTimeout));
        case.took(took, 300 * MILLI);
        // The value of that load has its own ttl, 10 s from now.
        pass(3.7).await;
        expire(&case, Key::new("a")).await;
        pass(10.1).await;
        let (answer, took) = timed(case.ask()).await;
        case.is(answer, Ok(1), Served::Loaded);
        case.took(took, 4 * SECOND);
    }
    for case in each(Policy::new()).await {
        assert_eq!(hard(case.desk()).await, Ok(0));
        case.origin.takes(4 * SECOND);
        expire(&case, Key::new("a")).await;
        assert_eq!(
            hard(case.desk()).await,
            Err(Failed::Late(300 * MILLI)),
            "{}",
            case.kind
        );
    }
}

// Row: expire: refresh_every
#[tokio::test(start_paused = true)]
async fn a_mark_does_not_hasten_the_timer() {
    for case in each(policy().refresh_every(6 * SECOND)).await {
        case.begin().await;
        pass(1.0).await;
        expire(&case, Key::new("a")).await;
        pass(4.5).await;
        case.loads(1);
        pass(1.0).await;
        case.loads(2);
        case.is(case.ask().await, Ok(1), Served::Memory);
    }
}

thread_local! {
    static TOLD: RefCell<Vec<Served>> = const { RefCell::new(Vec::new()) };
}

fn hit(event: &Event) {
    TOLD.with_borrow_mut(|told| told.push(event.served));
}

site!(told -> u64, ttl = "10s", stale_while_revalidate = "5s", consistency_check = 1.0, on_hit = hit);

// Row: expire: consistency_check
// Row: expire: on_hit
#[tokio::test(start_paused = true)]
async fn it_is_stale_for_checks_and_hooks() {
    for case in each(Policy::new()).await {
        assert_eq!(told(case.desk()).await, Ok(0));
        case.origin.goes(Way::Fails);
        expire(&case, Key::new("a")).await;
        assert_eq!(told(case.desk()).await, Ok(0));
        settle().await;
        assert_eq!(TOLD.with_borrow_mut(std::mem::take), [REVALIDATING]);
        // The refresh, and no check.
        case.loads(2);
    }
}

// Row: hold: background_refresh, early_refresh, stale_while_revalidate, refresh_every
#[tokio::test(start_paused = true)]
async fn a_refresh_that_meets_a_hold_does_not_run() {
    for case in each(policy().stale_while_revalidate(20 * SECOND)).await {
        case.begin().await;
        expire(&case, Evict::key(Key::new("a")).hold(5 * SECOND)).await;
        for _ in 0..9 {
            case.is(case.ask().await, Ok(0), REVALIDATING);
            pass(0.5).await;
        }
        case.loads(1);
        pass(0.6).await;
        case.is(case.ask().await, Ok(0), REVALIDATING);
        settle().await;
        case.loads(2);
        case.is(case.ask().await, Ok(1), Served::Memory);
    }
    // One that another hold of the key's scope of templates met is tried again by later hits.
    for case in each(policy().background_refresh(0.5)).await {
        evict(&case, Evict::key(Key::new("other")).hold(5 * SECOND)).await;
        case.begin().await;
        pass(6.0).await;
        case.is(case.ask().await, Ok(0), Served::Memory);
        settle().await;
        case.loads(2);
    }
}

// Row: hold: stale_if_error, retry_after
// Row: hold: soft_timeout, hard_timeout
#[tokio::test(start_paused = true)]
async fn loads_under_a_hold_are_returned_and_not_stored() {
    let hidden = policy().stale_if_error(20 * SECOND);
    for case in each(hidden.clone()).await {
        case.begin().await;
        expire(&case, Evict::key(Key::new("a")).hold(5 * SECOND)).await;
        for _ in 0..2 {
            case.is(case.ask().await, Ok(1), Served::Loaded);
        }
        case.origin.goes(Way::Fails);
        case.is(case.ask().await, Ok(0), FAILED);
        case.is(case.ask().await, Ok(0), THROTTLED);
        case.loads(4);
    }
    for case in each(hidden.soft_timeout(300 * MILLI)).await {
        case.begin().await;
        expire(&case, Evict::key(Key::new("a")).hold(5 * SECOND)).await;
        case.origin.takes(SECOND);
        case.is(case.ask().await, Ok(0), Served::Stale(Why::SoftTimeout));
        pass(1.0).await;
        case.is(case.ask().await, Ok(0), Served::Stale(Why::SoftTimeout));
        case.loads(3);
    }
}

// Row: hold: consistency_check
#[tokio::test(start_paused = true)]
async fn a_check_runs_under_a_hold() {
    for case in each(policy().consistency_check(1.0)).await {
        case.begin().await;
        case.origin.becomes(0);
        evict(&case, Evict::tag("other").hold(5 * SECOND)).await;
        case.is(case.ask().await, Ok(0), Served::Memory);
        settle().await;
        assert_eq!(case.cache.stats().total.consistency_checks, 1);
    }
}
