//! `refresh(fut)`, `bypass(fut)`, `condition`, puts, jitter.

use std::cell::RefCell;

use cache_runtime::{
    Event, Key, Policy, Served, StampedeProtection, Why, bypass, cache_put, cacheable, refresh,
    traced,
};

use crate::case::{Case, Desk, Failed, each, pass, site, timed};
use crate::origin::{Down, MILLI, SECOND, Way, settle};

const FAILED: Served = Served::Stale(Why::Failed);
const THROTTLED: Served = Served::Stale(Why::Throttled);

fn policy() -> Policy {
    Policy::new().ttl(10 * SECOND)
}

// Row: refresh(fut): background_refresh, early_refresh
#[tokio::test(start_paused = true)]
async fn it_overtakes_a_refresh_that_runs() {
    let policy = policy()
        .background_refresh(0.5)
        .stampede_protection(StampedeProtection::Fleet);
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
        case.origin.takes(0 * MILLI);
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

async fn put(case: &Case, policy: &Policy) {
    let put = case.cache.put(&Key::new("a"), 7_u64, policy).await;
    put.expect("it is stored");
}

// Row: #[cache_put], Cache::put: background_refresh
// Row: #[cache_put], Cache::put: early_refresh
// Row: #[cache_put], Cache::put: refresh_every
// Row: #[cache_put], Cache::put: consistency_check
#[tokio::test(start_paused = true)]
async fn a_put_gives_a_life_of_its_own_without_a_load_time() {
    for case in each(policy().background_refresh(0.5)).await {
        case.begin().await;
        case.origin.takes(SECOND);
        pass(6.0).await;
        case.ask().await.0.expect("it is there");
        settle().await;
        // It breaks the refresh, and has a longer life than the reader says.
        put(&case, &Policy::new().ttl(30 * SECOND)).await;
        pass(14.0).await;
        case.is(case.ask().await, Ok(7), Served::Memory);
        settle().await;
        case.loads(2);
        pass(1.5).await;
        case.is(case.ask().await, Ok(7), Served::Memory);
        settle().await;
        case.loads(3);
    }
    for case in each(policy().early_refresh(1e6)).await {
        put(&case, &policy()).await;
        for _ in 0..9 {
            case.is(case.ask().await, Ok(7), Served::Memory);
            pass(1.0).await;
        }
        case.loads(0);
    }
    for case in each(policy().refresh_every(6 * SECOND)).await {
        case.begin().await;
        pass(4.0).await;
        put(&case, &policy()).await;
        pass(5.0).await;
        case.loads(1);
        pass(1.5).await;
        case.loads(2);
    }
    for case in each(policy().consistency_check(1.0)).await {
        put(&case, &policy()).await;
        case.is(case.ask().await, Ok(7), Served::Memory);
        pass(1.0).await;
        assert_eq!(case.cache.stats().total.consistency_differences, 1);
        case.is(case.ask().await, Ok(0), Served::Loaded);
    }
}

#[cache_put(key = "a", ttl = "10s", jitter = 0.0, cache = desk.cache, stale_if_error = "5s", unless = |value| *value == 13)]
async fn write(desk: Desk, value: u64) -> Result<u64, Failed> {
    tokio::time::sleep(SECOND).await;
    let _ = &desk;
    Ok(value)
}

site!(reader -> u64, ttl = "10s", stale_while_revalidate = "60s", retry_after = "3s");
site!(hidden -> u64, ttl = "10s", stale_if_error = "60s", retry_after = "30s");
site!(soft -> u64, ttl = "10s", stale_if_error = "60s", soft_timeout = "300ms", wait_timeout = "5s");

// Row: #[cache_put], Cache::put: stale_while_revalidate, stale_if_error
#[tokio::test(start_paused = true)]
async fn a_put_names_the_windows_and_while_it_runs_no_refresh_begins() {
    for case in each(Policy::new()).await {
        write(case.desk(), 7).await.expect("it answers");
        case.origin.goes(Way::Fails);
        pass(13.0).await;
        let answer = traced(hidden(case.desk())).await;
        assert_eq!(answer, (Ok(7), Some(FAILED)), "{}", case.kind);
        pass(3.0).await;
        assert_eq!(
            hidden(case.desk()).await,
            Err(Failed::Down),
            "{}",
            case.kind
        );
    }
    for case in each(Policy::new()).await {
        assert_eq!(reader(case.desk()).await, Ok(0));
        pass(12.0).await;
        let (_, ()) = tokio::join!(write(case.desk(), 7), async {
            for _ in 0..5 {
                pass(0.1).await;
                let answer = traced(reader(case.desk())).await;
                let revalidating = Some(Served::Stale(Why::Revalidating));
                assert_eq!(answer, (Ok(0), revalidating), "{}", case.kind);
            }
        });
        case.loads(1);
        assert_eq!(reader(case.desk()).await, Ok(7), "{}", case.kind);
    }
}

// Row: #[cache_put], Cache::put: retry_after
// Row: #[cache_put], Cache::put: soft_timeout, hard_timeout
#[tokio::test(start_paused = true)]
async fn a_put_ends_the_pause_and_a_load_beside_it_is_not_stored() {
    for (value, then) in [(7, Ok(7)), (13, Err(Failed::Down))] {
        for case in each(Policy::new()).await {
            assert_eq!(hidden(case.desk()).await, Ok(0));
            case.origin.goes(Way::Fails);
            pass(12.0).await;
            assert_eq!(traced(hidden(case.desk())).await, (Ok(0), Some(FAILED)));
            assert_eq!(traced(hidden(case.desk())).await, (Ok(0), Some(THROTTLED)));
            write(case.desk(), value).await.expect("it answers");
            pass(11.0).await;
            let loads = case.origin.loads();
            assert_eq!(hidden(case.desk()).await, then, "{}", case.kind);
            // It tried.
            case.loads(loads + 1);
        }
    }
    for case in each(Policy::new()).await {
        assert_eq!(soft(case.desk()).await, Ok(0));
        case.origin.becomes(1);
        case.origin.takes(100 * MILLI);
        pass(12.0).await;
        let (_, answer) = tokio::join!(write(case.desk(), 7), async {
            pass(0.1).await;
            soft(case.desk()).await
        });
        assert_eq!(answer, Ok(1), "{}", case.kind);
        assert_eq!(soft(case.desk()).await, Ok(7), "{}", case.kind);
    }
}

// Row: jitter: background_refresh
// Row: jitter: early_refresh
// Row: jitter: stale_while_revalidate, stale_if_error
// Row: jitter: retry_after, soft_timeout, hard_timeout, refresh_every, idle
#[tokio::test(start_paused = true)]
async fn jitter_shortens_the_life_and_nothing_else() {
    fastrand::seed(5);
    let jittered = policy().ttl(100 * SECOND).jitter(0.5);
    let mut lives = Vec::new();
    for _ in 0..5 {
        let policies = [
            jittered.clone().background_refresh(0.5),
            // A load of 1 s: no hit is earlier than a second before the end.
            jittered.clone().early_refresh(1.0 / 36.8),
            jittered.clone(),
        ];
        for (number, policy) in policies.into_iter().enumerate() {
            for case in each(policy.stale_while_revalidate(20 * SECOND)).await {
                case.origin.takes(SECOND);
                case.begin().await;
                case.origin.takes(0 * MILLI);
                let key = Key::new("a");
                let info = case.cache.inspect(&key).await.expect("it is stored");
                // Memory may keep it for less.
                let stored = info.redis.or(info.memory).expect("it is stored");
                let life = stored.remaining.as_secs_f64();
                lives.push(life);
                // Memory gives values up after a minute where there is Redis, and tells of no longer life.
                if life > 55.0 && case.kind != "memory alone" {
                    continue;
                }
                if number == 2 {
                    pass(life + 19.5).await;
                    case.is(case.ask().await, Ok(0), Served::Stale(Why::Revalidating));
                    continue;
                }
                let due = if number == 0 { life / 2.0 } else { life - 1.0 };
                pass(due - 0.1).await;
                case.is(case.ask().await, Ok(0), Served::Memory);
                settle().await;
                case.loads(1);
                if number == 0 {
                    pass(0.1).await;
                    case.is(case.ask().await, Ok(0), Served::Memory);
                    settle().await;
                    case.loads(2);
                }
            }
        }
    }
    assert!(lives.iter().any(|life| *life < 75.0) && lives.iter().any(|life| *life > 75.0));
    let policy = policy()
        .jitter(1.0)
        .stale_if_error(600 * SECOND)
        .retry_after(5 * SECOND)
        .soft_timeout(300 * MILLI);
    for case in each(policy.clone()).await {
        case.begin().await;
        case.origin.goes(Way::Fails);
        pass(11.0).await;
        case.is(case.ask().await, Ok(0), FAILED);
        pass(4.9).await;
        case.is(case.ask().await, Ok(0), THROTTLED);
        pass(0.2).await;
        case.origin.takes(SECOND);
        let (answer, took) = timed(case.ask()).await;
        case.is(answer, Ok(0), Served::Stale(Why::SoftTimeout));
        case.took(took, 300 * MILLI);
    }
    for case in each(policy.ttl(1_000 * SECOND).refresh_every(4 * SECOND)).await {
        case.begin().await;
        pass(20.5).await;
        case.loads(6);
    }
}
