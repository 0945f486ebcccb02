//! Jitter.

use cache_runtime::{Key, Policy, Served, Why};

use crate::case::{each, pass, timed};
use crate::origin::{MILLI, SECOND, Way, ZERO, settle};

const FAILED: Served = Served::Stale(Why::Failed);
const THROTTLED: Served = Served::Stale(Why::Throttled);

fn policy() -> Policy {
    Policy::new().ttl(10 * SECOND)
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
                case.origin.takes(ZERO);
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
