//! `wait_timeout`.

use cache_runtime::{Policy, Served, Why, cacheable};

use crate::case::{Case, Failed, each, pass, site, timed};
use crate::origin::{Down, MILLI, SECOND, ZERO};

const WAITED: Served = Served::Stale(Why::WaitTimeout);

fn policy() -> Policy {
    Policy::new().ttl(10 * SECOND).wait_timeout(300 * MILLI)
}

// Row: wait_timeout: background_refresh, early_refresh, refresh_every
#[tokio::test(start_paused = true)]
async fn who_joins_a_refresh_after_the_ttl_waits_no_longer() {
    for case in each(policy().background_refresh(0.5)).await {
        case.begin().await;
        case.origin.takes(4 * SECOND);
        pass(9.0).await;
        let (answer, took) = timed(case.ask()).await;
        case.is(answer, Ok(0), Served::Memory);
        case.took(took, ZERO);
        pass(1.5).await;
        case.origin.takes(100 * MILLI);
        let (answer, took) = timed(case.ask()).await;
        case.is(answer, Ok(1), Served::Loaded);
        case.took(took, 400 * MILLI);
        case.loads(3);
    }
}

// Row: wait_timeout: stale_while_revalidate
#[tokio::test(start_paused = true)]
async fn it_has_no_effect_in_the_window() {
    let policy = policy()
        .wait_timeout(ZERO)
        .stale_while_revalidate(20 * SECOND);
    for case in each(policy).await {
        case.begin().await;
        case.origin.takes(4 * SECOND);
        pass(12.0).await;
        for _ in 0..3 {
            let (answer, took) = timed(case.ask()).await;
            case.is(answer, Ok(0), Served::Stale(Why::Revalidating));
            case.took(took, ZERO);
            pass(0.5).await;
        }
        case.loads(2);
    }
}

/// The answer of a call beside one that loads for two seconds.
async fn beside_a_load(case: &Case) -> (Result<u64, Down>, Served) {
    case.origin.takes(2 * SECOND);
    let (_, waiter) = tokio::join!(case.ask(), async {
        tokio::time::sleep(10 * MILLI).await;
        case.ask().await
    });
    waiter
}

// Row: wait_timeout: stale_if_error
// Row: wait_timeout: retry_after
#[tokio::test(start_paused = true)]
async fn a_waiter_gets_the_stale_value_and_begins_no_pause() {
    for case in each(policy().stale_if_error(20 * SECOND)).await {
        case.begin().await;
        case.origin.becomes(0);
        pass(12.0).await;
        let again = async {
            pass(0.5).await;
            timed(case.ask()).await
        };
        let (first, (second, took)) = tokio::join!(beside_a_load(&case), again);
        case.is(first, Ok(0), WAITED);
        case.is(second, Ok(0), WAITED);
        case.took(took, 300 * MILLI);
        case.loads(2);
        // Whom a pause answers has not waited.
        case.origin.goes(crate::origin::Way::Fails);
        case.origin.takes(ZERO);
        pass(12.0).await;
        case.is(case.ask().await, Ok(0), Served::Stale(Why::Failed));
        let (answer, took) = timed(case.ask()).await;
        case.is(answer, Ok(0), Served::Stale(Why::Throttled));
        case.took(took, ZERO);
    }
}

// Row: wait_timeout: soft_timeout
#[tokio::test(start_paused = true)]
async fn the_shorter_of_wait_and_soft_timeout_acts() {
    for (soft, why) in [(100, Why::SoftTimeout), (600, Why::WaitTimeout)] {
        let policy = policy()
            .stale_if_error(20 * SECOND)
            .soft_timeout(soft * MILLI);
        for case in each(policy).await {
            case.begin().await;
            pass(12.0).await;
            case.is(beside_a_load(&case).await, Ok(0), Served::Stale(why));
        }
    }
}

site!(bounded -> u64, ttl = "10s", hard_timeout = "600ms", wait_timeout = "200ms");

// Row: wait_timeout: hard_timeout
#[tokio::test(start_paused = true)]
async fn a_load_after_the_wait_has_what_is_left() {
    for case in each(Policy::new()).await {
        case.origin.takes(2 * SECOND);
        let (_, (waiter, took)) = tokio::join!(bounded(case.desk()), async {
            tokio::time::sleep(10 * MILLI).await;
            timed(bounded(case.desk())).await
        });
        assert_eq!(waiter, Err(Failed::Late(600 * MILLI)), "{}", case.kind);
        case.took(took, 600 * MILLI);
        case.loads(2);
    }
}
