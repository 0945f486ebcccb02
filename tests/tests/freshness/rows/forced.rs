//! `refresh(fut)`, `bypass(fut)`, `condition`.

use std::cell::RefCell;

use cache_runtime::{
    Event, Policy, Served, StampedeProtection, Why, bypass, cacheable, refresh, traced,
};

use crate::case::{Desk, Failed, each, pass, site, timed};
use crate::origin::{Down, MILLI, SECOND, Way, ZERO, settle};

const FAILED: Served = Served::Stale(Why::Failed);
const THROTTLED: Served = Served::Stale(Why::Throttled);

fn policy() -> Policy {
    Policy::new().ttl(10 * SECOND)
}

// Row: refresh(fut): background_refresh, early_refresh
#[tokio::test(start_paused = true)]
async fn it_overtakes_a_refresh_that_runs() {
    for protection in [
        StampedeProtection::Fleet,
        StampedeProtection::Process,
        StampedeProtection::Off,
    ] {
        let policy = policy().background_refresh(0.5);
        overtakes(policy.stampede_protection(protection)).await;
    }
}

async fn overtakes(policy: Policy) {
    for case in each(policy).await {
        case.begin().await;
        case.origin.takes(SECOND);
        pass(6.0).await;
        case.is(case.ask().await, Ok(0), Served::Memory);
        settle().await;
        case.origin.becomes(2);
        case.origin.takes(100 * MILLI);
        case.is(refresh(case.ask()).await, Ok(2), Served::Loaded);
        pass(2.0).await;
        case.is(case.ask().await, Ok(2), Served::Memory);
        case.loads(3);
    }
}

// Row: refresh(fut): stale_while_revalidate, stale_if_error, soft_timeout
// Row: refresh(fut): retry_after
#[tokio::test(start_paused = true)]
async fn it_never_gets_a_stale_value_and_is_not_held_back() {
    let policy = policy()
        .stale_while_revalidate(2 * SECOND)
        .stale_if_error(60 * SECOND)
        .soft_timeout(300 * MILLI)
        .retry_after(20 * SECOND);
    for case in each(policy).await {
        case.begin().await;
        case.origin.goes(Way::Fails);
        case.origin.takes(SECOND);
        pass(11.0).await;
        for _ in 0..2 {
            let (answer, took) = timed(refresh(case.ask())).await;
            case.is(answer, Err(Down), Served::Loaded);
            case.took(took, SECOND);
        }
        case.origin.takes(ZERO);
        // Its failures begin no pause.
        case.is(case.ask().await, Ok(0), FAILED);
        case.is(case.ask().await, Ok(0), THROTTLED);
        case.is(refresh(case.ask()).await, Err(Down), Served::Loaded);
        case.origin.goes(Way::Answers);
        case.is(refresh(case.ask()).await, Ok(1), Served::Loaded);
        // Its success ends one.
        case.origin.goes(Way::Fails);
        pass(13.0).await;
        case.is(case.ask().await, Ok(1), FAILED);
    }
}

site!(bounded -> u64, ttl = "10s", stale_if_error = "60s", hard_timeout = "300ms");

// Row: refresh(fut): hard_timeout, on_timeout
#[tokio::test(start_paused = true)]
async fn it_is_bounded_and_its_load_goes_on() {
    for case in each(Policy::new()).await {
        assert_eq!(bounded(case.desk()).await, Ok(0));
        case.origin.becomes(1);
        case.origin.takes(SECOND);
        let (answer, took) = timed(refresh(bounded(case.desk()))).await;
        assert_eq!(answer, Err(Failed::Late(300 * MILLI)), "{}", case.kind);
        case.took(took, 300 * MILLI);
        pass(1.0).await;
        let answer = traced(bounded(case.desk())).await;
        assert_eq!(answer, (Ok(1), Some(Served::Memory)), "{}", case.kind);
    }
}

// Row: refresh(fut): refresh_every, idle
#[tokio::test(start_paused = true)]
async fn it_is_a_use_and_a_new_birth() {
    for case in each(policy().refresh_every(4 * SECOND).idle(6 * SECOND)).await {
        case.begin().await;
        pass(3.0).await;
        case.is(refresh(case.ask()).await, Ok(1), Served::Loaded);
        pass(3.5).await;
        case.loads(2);
        pass(1.0).await;
        case.loads(3);
        pass(60.0).await;
        assert!(case.origin.loads() <= 4, "{}", case.kind);
    }
}

thread_local! {
    static TOLD: RefCell<Vec<Served>> = const { RefCell::new(Vec::new()) };
}

fn any(event: &Event) {
    TOLD.with_borrow_mut(|told| told.push(event.served));
}

async fn told() -> Vec<Served> {
    settle().await;
    TOLD.with_borrow_mut(std::mem::take)
}

site!(checked -> u64, ttl = "10s", consistency_check = 1.0, on_hit = any, on_miss = any);

// Row: refresh(fut): consistency_check
// Row: refresh(fut): on_miss
#[tokio::test(start_paused = true)]
async fn it_is_no_hit_and_told_as_loaded() {
    for case in each(Policy::new()).await {
        checked(case.desk()).await.expect("it answers");
        refresh(checked(case.desk())).await.expect("it answers");
        assert_eq!(
            told().await,
            [Served::Loaded, Served::Loaded],
            "{}",
            case.kind
        );
        assert_eq!(case.cache.stats().total.consistency_checks, 0);
        case.loads(2);
    }
}

#[cacheable(
    key = "a", ttl = "10s", jitter = 0.0, cache = desk.cache, condition = wanted, background_refresh = 0.5, stale_while_revalidate = "5s",
    stale_if_error = "20s", soft_timeout = "100ms", hard_timeout = "300ms", refresh_every = "8s", consistency_check = 1.0, on_hit = any, on_miss = any
)]
async fn everything(desk: Desk, wanted: bool) -> Result<u64, Failed> {
    Ok(desk.origin.answer().await?)
}

// Row: condition is false: all
// Row: bypass(fut): all
#[tokio::test(start_paused = true)]
async fn past_the_cache_the_body_runs_and_nothing_else() {
    for bypasses in [true, false] {
        for case in each(Policy::new()).await {
            let past = async || {
                if bypasses {
                    bypass(traced(everything(case.desk(), true))).await
                } else {
                    traced(everything(case.desk(), false)).await
                }
            };
            let why = if bypasses { Why::Asked } else { Why::Condition };
            everything(case.desk(), true).await.expect("it answers");
            told().await;
            case.origin.goes(Way::Fails);
            case.origin.takes(SECOND);
            for after in [0.0, 6.0, 6.0] {
                pass(after).await;
                let loads = case.origin.loads();
                let (answer, took) = timed(past()).await;
                assert_eq!(
                    answer,
                    (Err(Failed::Down), Some(Served::Bypassed(why))),
                    "{}",
                    case.kind
                );
                case.took(took, SECOND);
                // The timer may have had its turn.
                assert!(case.origin.loads() <= loads + 2, "{}", case.kind);
                assert_eq!(told().await, [], "{}", case.kind);
            }
            assert_eq!(case.cache.stats().total.consistency_checks, 0);
            assert_eq!(case.cache.stats().total.timeouts, 0);
        }
    }
}
