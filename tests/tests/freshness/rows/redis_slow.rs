//! Redis is slow: commands are not answered in time, and messages come.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use cache_runtime::testing::{ModelRedis, Step};
use cache_runtime::{Event, Policy, Served, Why, cacheable};
use tests::model::{BUDGET, Slow, silence};

use crate::case::{Desk, Failed, pass, site, timed};
use crate::origin::{Down, MILLI, Origin, SECOND, Way, fleet, settle};

const FAILED: Served = Served::Stale(Why::Failed);

fn policy() -> Policy {
    Policy::new().ttl(10 * SECOND)
}

/// Of the first process these commands take for ever.
fn stops(model: &ModelRedis, commands: &[&'static str]) {
    let ever = 1_000 * SECOND;
    let steps = commands.iter().map(|name| (Step::Command(name), ever));
    model.set_network(Arc::new(Slow {
        process: 0,
        steps: steps.collect(),
    }));
}

// Row: Redis is slow: background_refresh, early_refresh, refresh_every, consistency_check
#[tokio::test(start_paused = true)]
async fn what_runs_in_the_background_delays_no_call_and_goes_on_without() {
    let policies = [
        policy().background_refresh(0.5),
        policy().consistency_check(1.0),
        policy().refresh_every(6 * SECOND),
    ];
    for (number, policy) in policies.into_iter().enumerate() {
        let ([cache], model) = fleet().await;
        let origin = Origin::new();
        origin
            .ask(&cache, "a", &policy)
            .await
            .0
            .expect("it answers");
        pass(5.5).await;
        silence(&model);
        pass(0.6).await;
        let (answer, took) = timed(origin.ask(&cache, "a", &policy)).await;
        assert_eq!(answer, (Ok(0), Served::Memory), "{number}");
        assert_eq!(took, Duration::ZERO, "{number}");
        pass(0.5).await;
        assert_eq!(origin.loads(), 2, "{number}");
    }
}

// Row: Redis is slow: stale_while_revalidate
#[tokio::test(start_paused = true)]
async fn a_stale_value_in_memory_is_served_without_asking() {
    for memory in [true, false] {
        let policy = policy().stale_while_revalidate(60 * SECOND).l1(memory);
        let ([cache], model) = fleet().await;
        let origin = Origin::new();
        origin
            .ask(&cache, "a", &policy)
            .await
            .0
            .expect("it answers");
        origin.becomes(1);
        pass(12.0).await;
        silence(&model);
        let (answer, took) = timed(origin.ask(&cache, "a", &policy)).await;
        if memory {
            assert_eq!(answer, (Ok(0), Served::Stale(Why::Revalidating)));
            assert_eq!(took, Duration::ZERO);
        } else {
            assert_eq!(answer, (Ok(1), Served::Loaded));
            assert!(took >= BUDGET && took < 2 * BUDGET, "{took:?}");
        }
    }
}

// Row: Redis is slow: stale_if_error
// Row: Redis is slow: retry_after
#[tokio::test(start_paused = true)]
async fn what_was_read_before_redis_fell_silent_is_at_hand() {
    let policy = policy()
        .stale_if_error(60 * SECOND)
        .retry_after(5 * SECOND)
        .l1(false);
    // Without the lease, and with it but without the note.
    for commands in [&["acquire"][..], &["fail"]] {
        let ([cache], model) = fleet().await;
        let origin = Origin::new();
        let ask = async || origin.ask(&cache, "a", &policy).await;
        ask().await.0.expect("it answers");
        pass(12.0).await;
        origin.goes(Way::Fails);
        stops(&model, commands);
        assert_eq!(ask().await, (Ok(0), FAILED), "{commands:?}");
        // The process's own note counts.
        for _ in 0..4 {
            assert_eq!(
                ask().await,
                (Ok(0), Served::Stale(Why::Throttled)),
                "{commands:?}"
            );
            pass(1.0).await;
        }
        assert_eq!(origin.loads(), 2, "{commands:?}");
    }
    let ([cache], model) = fleet().await;
    let origin = Origin::new();
    let ask = async || origin.ask(&cache, "a", &policy).await;
    ask().await.0.expect("it answers");
    pass(12.0).await;
    origin.goes(Way::Fails);
    stops(&model, &["read", "acquire"]);
    assert_eq!(ask().await.0, Err(Down), "nothing was read");
}

thread_local! {
    static TOLD: RefCell<Vec<Served>> = const { RefCell::new(Vec::new()) };
}

fn any(event: &Event) {
    TOLD.with_borrow_mut(|told| told.push(event.served));
}

site!(bounded -> u64, ttl = "10s", hard_timeout = "300ms", on_hit = any, on_miss = any);

// Row: Redis is slow: soft_timeout, hard_timeout
// Row: Redis is slow: idle, on_timeout, on_hit, on_miss
#[tokio::test(start_paused = true)]
async fn the_time_spent_on_redis_is_part_of_the_timeouts() {
    let policy = policy()
        .stale_if_error(60 * SECOND)
        .soft_timeout(300 * MILLI);
    let ([cache], model) = fleet().await;
    let origin = Origin::new();
    origin
        .ask(&cache, "a", &policy)
        .await
        .0
        .expect("it answers");
    pass(12.0).await;
    origin.takes(SECOND);
    silence(&model);
    let (answer, took) = timed(origin.ask(&cache, "a", &policy)).await;
    assert_eq!(answer, (Ok(0), Served::Stale(Why::SoftTimeout)));
    assert!(took >= 300 * MILLI && took < 320 * MILLI, "{took:?}");
    let ([cache], model) = fleet().await;
    silence(&model);
    let (answer, took) = timed(bounded(Desk { cache, origin })).await;
    assert_eq!(answer, Err(Failed::Late(300 * MILLI)));
    assert!(took >= 300 * MILLI && took < 320 * MILLI, "{took:?}");
    settle().await;
    assert_eq!(TOLD.with_borrow_mut(std::mem::take), [Served::Loaded]);
}
