//! Something is evicted meanwhile.

use cache_runtime::{Evict, Key, Policy, Served, Why, cacheable};

use crate::case::{Case, Failed, each, pass, site, timed};
use crate::origin::{Down, MILLI, SECOND, Way, ZERO, settle};

const FAILED: Served = Served::Stale(Why::Failed);
const THROTTLED: Served = Served::Stale(Why::Throttled);

const SELECTIONS: [fn() -> Evict; 5] = [
    || Evict::key(Key::new("a")),
    || Evict::tag("t"),
    || Evict::pattern("a*"),
    || Evict::region("a"),
    Evict::all,
];

fn policy() -> Policy {
    Policy::new().ttl(10 * SECOND).tags(["t"])
}

async fn evict(case: &Case, what: impl Into<Evict>) {
    case.cache.evict(what).await.expect("it is confirmed");
}

// Row: Something is evicted meanwhile: background_refresh, early_refresh, refresh_every
#[tokio::test(start_paused = true)]
async fn what_a_running_refresh_loads_is_not_stored() {
    for select in SELECTIONS {
        for policy in [
            policy().background_refresh(0.5),
            policy().refresh_every(6 * SECOND),
        ] {
            for case in each(policy).await {
                case.begin().await;
                case.origin.takes(SECOND);
                pass(6.1).await;
                case.is(case.ask().await, Ok(0), Served::Memory);
                settle().await;
                case.loads(2);
                case.origin.becomes(2);
                evict(&case, select()).await;
                case.origin.takes(2 * SECOND);
                let (answer, took) = timed(case.ask()).await;
                case.is(answer, Ok(2), Served::Loaded);
                case.took(took, 2 * SECOND);
                case.is(case.ask().await, Ok(2), Served::Memory);
            }
        }
    }
    // The timer loads what is gone again, at its next turn.
    for case in each(policy().refresh_every(6 * SECOND)).await {
        case.begin().await;
        pass(1.0).await;
        evict(&case, Key::new("a")).await;
        pass(4.5).await;
        case.loads(1);
        pass(1.0).await;
        case.loads(2);
        case.is(case.ask().await, Ok(1), Served::Memory);
    }
}

// Row: Something is evicted meanwhile: stale_while_revalidate
#[tokio::test(start_paused = true)]
async fn there_is_no_stale_value_any_more() {
    for select in SELECTIONS {
        for case in each(policy().stale_while_revalidate(20 * SECOND)).await {
            case.begin().await;
            pass(12.0).await;
            evict(&case, select()).await;
            case.is(case.ask().await, Ok(1), Served::Loaded);
        }
    }
}

// Row: Something is evicted meanwhile: stale_if_error
// Row: Something is evicted meanwhile: soft_timeout
#[tokio::test(start_paused = true)]
async fn a_call_loses_what_it_has_in_hand() {
    let hidden = policy().stale_if_error(20 * SECOND);
    for select in SELECTIONS {
        for soft in [false, true] {
            let policy = if soft {
                hidden.clone().soft_timeout(SECOND)
            } else {
                hidden.clone()
            };
            for case in each(policy).await {
                case.begin().await;
                case.origin.goes(Way::Fails);
                case.origin.takes(2 * SECOND);
                pass(12.0).await;
                let ((answer, took), ()) = tokio::join!(timed(case.ask()), async {
                    pass(0.5).await;
                    evict(&case, select()).await;
                });
                case.is(answer, Err(Down), Served::Loaded);
                case.took(took, 2 * SECOND);
            }
        }
    }
}

// Row: Something is evicted meanwhile: retry_after
#[tokio::test(start_paused = true)]
async fn what_is_gone_holds_back_nobody() {
    let policy = policy()
        .stale_if_error(60 * SECOND)
        .retry_after(30 * SECOND);
    for (number, select) in SELECTIONS.into_iter().enumerate() {
        for case in each(policy.clone()).await {
            case.begin().await;
            case.origin.goes(Way::Fails);
            pass(12.0).await;
            case.is(case.ask().await, Ok(0), FAILED);
            case.is(case.ask().await, Ok(0), THROTTLED);
            evict(&case, select()).await;
            case.is(case.ask().await, Err(Down), Served::Loaded);
            case.origin.goes(Way::Answers);
            case.is(case.ask().await, Ok(1), Served::Loaded);
            assert_eq!(case.origin.loads(), 4, "{}, {number}", case.kind);
        }
    }
}

site!(bounded -> u64, ttl = "10s", stale_if_error = "20s", hard_timeout = "300ms");

// Row: Something is evicted meanwhile: hard_timeout
#[tokio::test(start_paused = true)]
async fn at_the_end_of_the_hard_timeout_there_is_the_error_and_nothing_is_stored() {
    for case in each(Policy::new()).await {
        assert_eq!(bounded(case.desk()).await, Ok(0));
        case.origin.becomes(1);
        case.origin.takes(SECOND);
        pass(12.0).await;
        let (answer, ()) = tokio::join!(bounded(case.desk()), async {
            pass(0.1).await;
            evict(&case, Key::new("a")).await;
        });
        assert_eq!(answer, Err(Failed::Late(300 * MILLI)), "{}", case.kind);
        pass(1.0).await;
        case.origin.becomes(2);
        case.origin.takes(ZERO);
        assert_eq!(bounded(case.desk()).await, Ok(2), "{}", case.kind);
    }
}
