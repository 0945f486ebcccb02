//! Redis is down: what is sent is lost, and then the connection is seen to be broken. From there on memory is believed for its `offline_grace`, which is
//! nothing here; with one: tests/tests/redis/coherence.rs.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};

use cache_runtime::testing::{Faults, ModelRedis};
use cache_runtime::{Cache, Event, LoadTimeout, Policy, Served, Why, cacheable};

use crate::case::{Desk, Failed, pass, site};
use crate::origin::{Down, MILLI, Origin, SECOND, Way, fleet, settle};

const FAILED: Served = Served::Stale(Why::Failed);
const THROTTLED: Served = Served::Stale(Why::Throttled);

fn policy() -> Policy {
    Policy::new().ttl(10 * SECOND)
}

fn goes_down(model: &ModelRedis) {
    model.set_faults(Faults {
        lost: 1.0,
        outage: 10_000 * SECOND,
        ..Faults::default()
    });
}

/// The connection is seen to be broken, and not made again.
async fn breaks(model: &ModelRedis) {
    model.sever();
    settle().await;
}

/// Two processes that have the value, after so many seconds, when Redis goes down.
async fn two(policy: &Policy, after: f64) -> ([Cache; 2], ModelRedis, Origin) {
    let (caches, model) = fleet().await;
    let origin = Origin::new();
    for cache in &caches {
        origin.ask(cache, "a", policy).await.0.expect("it answers");
    }
    settle().await;
    origin.becomes(1);
    pass(after).await;
    goes_down(&model);
    settle().await;
    (caches, model, origin)
}

// Row: Redis is down: background_refresh, early_refresh, refresh_every
// Row: Redis is down: idle
#[tokio::test(start_paused = true)]
async fn each_process_refreshes_without_a_lease() {
    let policy_of_hits = policy().background_refresh(0.5);
    let (caches, model, origin) = two(&policy_of_hits, 6.0).await;
    for cache in &caches {
        let answer = origin.ask(cache, "a", &policy_of_hits).await;
        assert_eq!(answer, (Ok(0), Served::Memory));
    }
    pass(1.0).await;
    assert_eq!((origin.loads(), model.leases()), (3, 0));
    let timed = policy().refresh_every(4 * SECOND).idle(9 * SECOND);
    let (_caches, model, origin) = two(&timed, 3.0).await;
    pass(2.0).await;
    assert_eq!((origin.loads(), model.leases()), (3, 0));
    pass(60.0).await;
    let loads = origin.loads();
    pass(60.0).await;
    assert_eq!(origin.loads(), loads, "idle");
}

// Row: Redis is down: stale_while_revalidate
// Row: Redis is down: soft_timeout
#[tokio::test(start_paused = true)]
async fn stale_values_are_served_while_memory_is_believed() {
    let policies = [
        (
            policy().stale_while_revalidate(60 * SECOND),
            Why::Revalidating,
        ),
        (
            policy()
                .stale_if_error(60 * SECOND)
                .soft_timeout(300 * MILLI),
            Why::SoftTimeout,
        ),
    ];
    for (policy, why) in policies {
        let ([one, other], model, origin) = two(&policy, 12.0).await;
        origin.takes(SECOND);
        let answer = origin.ask(&one, "a", &policy).await;
        assert_eq!(answer, (Ok(0), Served::Stale(why)));
        breaks(&model).await;
        let began = tokio::time::Instant::now();
        let (answer, served) = origin.ask(&other, "a", &policy).await;
        assert_eq!((answer, served), (Ok(1), Served::Loaded), "{why:?}");
        assert!(began.elapsed() >= SECOND, "{why:?}");
    }
}

// Row: Redis is down: stale_if_error
// Row: Redis is down: retry_after
#[tokio::test(start_paused = true)]
async fn each_process_tries_once_and_later_gets_the_error() {
    let policy = policy()
        .stale_if_error(60 * SECOND)
        .retry_after(30 * SECOND);
    let (caches, model, origin) = two(&policy, 12.0).await;
    origin.goes(Way::Fails);
    for cache in &caches {
        assert_eq!(origin.ask(cache, "a", &policy).await, (Ok(0), FAILED));
        assert_eq!(origin.ask(cache, "a", &policy).await, (Ok(0), THROTTLED));
    }
    assert_eq!(origin.loads(), 3);
    breaks(&model).await;
    for cache in &caches {
        assert_eq!(origin.ask(cache, "a", &policy).await.0, Err(Down));
    }
}

thread_local! {
    static TOLD: RefCell<Vec<Served>> = const { RefCell::new(Vec::new()) };
}

fn any(event: &Event) {
    TOLD.with_borrow_mut(|told| told.push(event.served));
}

static LATE: AtomicUsize = AtomicUsize::new(0);

fn late(timeout: LoadTimeout) -> Failed {
    LATE.fetch_add(1, Ordering::Relaxed);
    timeout.into()
}

site!(bounded -> u64, ttl = "10s", hard_timeout = "300ms", on_timeout = late, on_hit = any, on_miss = any);

// Row: Redis is down: hard_timeout, on_timeout
// Row: Redis is down: on_hit, on_miss
#[tokio::test(start_paused = true)]
async fn timeouts_and_hooks_are_as_always() {
    let ([cache], model) = fleet().await;
    let origin = Origin::new();
    let desk = Desk {
        cache,
        origin: origin.clone(),
    };
    assert_eq!(bounded(desk.clone()).await, Ok(0));
    goes_down(&model);
    settle().await;
    assert_eq!(bounded(desk.clone()).await, Ok(0));
    breaks(&model).await;
    origin.takes(SECOND);
    let began = tokio::time::Instant::now();
    assert_eq!(bounded(desk).await, Err(Failed::Late(300 * MILLI)));
    assert!(began.elapsed() < 320 * MILLI);
    settle().await;
    let told = TOLD.with_borrow_mut(std::mem::take);
    assert_eq!(told, [Served::Loaded, Served::Memory, Served::Loaded]);
    assert_eq!(LATE.load(Ordering::Relaxed), 1);
}

// Row: Redis is down: consistency_check
#[tokio::test(start_paused = true)]
async fn a_difference_is_queued_for_eviction() {
    let policy = policy().consistency_check(1.0);
    let (caches, _, origin) = two(&policy, 1.0).await;
    assert_eq!(origin.ask(&caches[0], "a", &policy).await.0, Ok(0));
    pass(2.0).await;
    assert_eq!(caches[0].stats().total.consistency_differences, 1);
    assert_eq!(origin.ask(&caches[0], "a", &policy).await.0, Ok(1));
    let unfinished = caches[0].close(SECOND).await;
    assert_eq!(unfinished.evictions, 1);
}
