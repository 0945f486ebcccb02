//! The process ends; where there is no body to keep.

use std::cell::RefCell;

use cache_runtime::{Cache, Event, Key, Policy, Served, Why, cacheable, traced};
use tests::caches::assert_nothing_left;

use crate::case::{Failed, each, pass, site, timed};
use crate::origin::{Down, MILLI, Origin, SECOND, Way, ZERO, alone, fleet, settle};

fn policy() -> Policy {
    Policy::new().ttl(10 * SECOND)
}

// Row: The process ends: refreshes, and loads whose callers gave up (soft_timeout, hard_timeout)
// Row: The process ends: stale_while_revalidate
#[tokio::test(start_paused = true)]
async fn a_load_after_close_ends_with_the_call_that_gave_up_on_it() {
    // What close waits for, and what it cuts off: closing.rs.
    let soft = policy()
        .stale_if_error(60 * SECOND)
        .soft_timeout(300 * MILLI);
    let (cache, origin) = (alone(), Origin::new());
    let ask = async |policy: &Policy| origin.ask(&cache, "a", policy).await;
    ask(&soft).await.0.expect("it answers");
    assert!(cache.close(SECOND).await.is_nothing());
    origin.becomes(1);
    origin.takes(SECOND);
    pass(12.0).await;
    let served = Served::Stale(Why::SoftTimeout);
    assert_eq!(ask(&soft).await, (Ok(0), served));
    assert_nothing_left(&cache);
    pass(2.0).await;
    assert_eq!(ask(&soft).await, (Ok(0), served), "it was not stored");
    // Another process takes over when a lease was given back, or ran out.
    let ([one, other], model) = fleet().await;
    let origin = Origin::new();
    let policy = policy().stale_while_revalidate(60 * SECOND);
    origin.ask(&one, "a", &policy).await.0.expect("it answers");
    pass(12.0).await;
    origin.takes(20 * SECOND);
    origin.ask(&one, "a", &policy).await.0.expect("it is there");
    settle().await;
    assert_eq!(model.leases(), 1);
    assert_eq!(one.close(SECOND).await.refreshes, 1);
    assert_eq!(model.leases(), 0);
    origin.takes(ZERO);
    let revalidating = (Ok(0), Served::Stale(Why::Revalidating));
    assert_eq!(origin.ask(&other, "a", &policy).await, revalidating);
    settle().await;
    assert_eq!(origin.loads(), 3);
}

// Row: The process ends: stale_if_error, retry_after
#[tokio::test(start_paused = true)]
async fn after_close_pauses_are_those_of_the_process() {
    let policy = policy().stale_if_error(60 * SECOND).retry_after(5 * SECOND);
    let (cache, origin) = (alone(), Origin::new());
    let ask = async || origin.ask(&cache, "a", &policy).await;
    ask().await.0.expect("it answers");
    assert!(cache.close(SECOND).await.is_nothing());
    origin.goes(Way::Fails);
    pass(12.0).await;
    assert_eq!(ask().await, (Ok(0), Served::Stale(Why::Failed)));
    assert_eq!(ask().await, (Ok(0), Served::Stale(Why::Throttled)));
    // The note in Redis stays.
    let ([one, other], _) = fleet().await;
    let origin = Origin::new();
    for cache in [&one, &other] {
        origin.ask(cache, "a", &policy).await.0.expect("it answers");
    }
    origin.goes(Way::Fails);
    pass(12.0).await;
    origin.ask(&one, "a", &policy).await.0.expect("it is there");
    one.close(SECOND).await;
    let throttled = (Ok(0), Served::Stale(Why::Throttled));
    assert_eq!(origin.ask(&other, "a", &policy).await, throttled);
    assert_eq!(origin.loads(), 2);
}

// Row: The process ends: refresh_every
#[tokio::test(start_paused = true)]
async fn another_process_has_the_next_turn() {
    let ([one, other], _) = fleet().await;
    let origin = Origin::new();
    let policy = policy().refresh_every(5 * SECOND);
    for cache in [&one, &other] {
        origin.ask(cache, "a", &policy).await.0.expect("it answers");
    }
    pass(1.0).await;
    assert!(one.close(SECOND).await.is_nothing());
    pass(5.0).await;
    assert_eq!(origin.loads(), 2);
    other.close(SECOND).await;
    pass(60.0).await;
    assert_eq!(origin.loads(), 2);
}

// Row: The process ends: consistency_check
#[tokio::test(start_paused = true)]
async fn close_drops_checks_and_none_begins_after() {
    for case in each(policy().consistency_check(1.0)).await {
        case.begin().await;
        case.origin.takes(SECOND);
        case.is(case.ask().await, Ok(0), Served::Memory);
        settle().await;
        case.loads(2);
        let (unfinished, took) = timed(case.cache.close(5 * SECOND)).await;
        assert!(unfinished.is_nothing() && took < SECOND, "{}", case.kind);
        assert_nothing_left(&case.cache);
        let loads = case.origin.loads();
        if case.kind == "memory alone" {
            case.is(case.ask().await, Ok(0), Served::Memory);
            settle().await;
            case.loads(loads);
        }
        assert_eq!(case.cache.stats().total.consistency(), None);
    }
}

thread_local! {
    static TOLD: RefCell<usize> = const { RefCell::new(0) };
}

fn any(_: &Event) {
    TOLD.with_borrow_mut(|told| *told += 1);
}

site!(told -> u64, ttl = "10s", on_hit = any, on_miss = any);

// Row: The process ends: on_hit, on_miss
#[tokio::test(start_paused = true)]
async fn close_works_off_the_queue_and_nobody_is_told_after() {
    for case in each(Policy::new()).await {
        for _ in 0..100 {
            told(case.desk()).await.expect("it answers");
        }
        case.cache.close(SECOND).await;
        assert_eq!(TOLD.take(), 100, "{}", case.kind);
        for _ in 0..10 {
            told(case.desk()).await.expect("it answers");
        }
        settle().await;
        assert_eq!(TOLD.take(), 0, "{}", case.kind);
        assert_eq!(case.cache.stats().total.events_dropped, 0);
    }
}

// Row: Where there is no body to keep: get_or_load, try_get_or_load
#[tokio::test(start_paused = true)]
async fn a_loader_that_lives_as_long_as_its_call() {
    // Refreshes in the foreground, and those beside: background.rs, stale.rs.
    let policy = policy()
        .stale_if_error(60 * SECOND)
        .soft_timeout(300 * MILLI)
        .hard_timeout(600 * MILLI)
        .refresh_every(4 * SECOND)
        .consistency_check(1.0);
    for case in each(policy).await {
        let key = Key::new("a");
        let get = async |value: u64, takes: u32| {
            let load = async || {
                tokio::time::sleep(takes * SECOND).await;
                Ok::<_, Down>(value)
            };
            traced(case.cache.try_get_or_load(&key, &case.policy, load)).await
        };
        assert_eq!(get(0, 0).await, (Ok(0), Some(Served::Loaded)));
        assert_eq!(get(1, 0).await, (Ok(0), Some(Served::Memory)));
        pass(12.0).await;
        assert_eq!(case.cache.stats().total.consistency_checks, 0);
        assert_eq!(case.cache.stats().total.loads, 1);
        let (leads, (waits, took)) = tokio::join!(timed(get(2, 2)), async {
            pass(0.1).await;
            timed(get(3, 0)).await
        });
        assert_eq!(leads.0, (Ok(2), Some(Served::Loaded)), "{}", case.kind);
        case.took(leads.1, 2 * SECOND);
        assert_eq!(waits, (Ok(0), Some(Served::Stale(Why::SoftTimeout))));
        case.took(took, 300 * MILLI);
    }
}

site!(bounded -> u64, ttl = "10s", hard_timeout = "300ms");

// Row: Where there is no body to keep: try_get_or_refresh
#[tokio::test(start_paused = true)]
async fn without_an_error_to_make_a_call_waits_where_nothing_is_stale() {
    let policy = policy()
        .stale_if_error(60 * SECOND)
        .hard_timeout(300 * MILLI);
    for case in each(policy).await {
        case.origin.takes(SECOND);
        let (answer, took) = timed(case.ask()).await;
        case.is(answer, Ok(0), Served::Loaded);
        case.took(took, SECOND);
        case.origin.becomes(1);
        pass(12.0).await;
        let (answer, took) = timed(case.ask()).await;
        case.is(answer, Ok(0), Served::Stale(Why::HardTimeout));
        case.took(took, 300 * MILLI);
        let (answer, took) = timed(case.ask()).await;
        case.is(answer, Ok(0), Served::Stale(Why::HardTimeout));
        case.took(took, 300 * MILLI);
        pass(0.5).await;
        case.is(case.ask().await, Ok(1), Served::Memory);
    }
    let desk = each(Policy::new()).await[0].desk();
    desk.origin.takes(SECOND);
    assert_eq!(bounded(desk).await, Err(Failed::Late(300 * MILLI)));
}

// Row: Where there is no body to keep: Cache::get, get_with
#[tokio::test(start_paused = true)]
async fn get_has_fresh_values_only() {
    let policy = policy()
        .background_refresh(0.5)
        .stale_while_revalidate(60 * SECOND)
        .stale_if_error(60 * SECOND);
    for case in each(policy.clone()).await {
        let key = Key::new("a");
        // Whichever is asked, there is the same.
        let get = async || {
            let found = case.cache.get::<u64>(&key).await;
            assert_eq!(case.cache.get_with::<u64>(&key, &policy).await, found);
            found
        };
        assert_eq!(get().await, None);
        case.begin().await;
        pass(6.0).await;
        assert_eq!(get().await, Some(0));
        pass(6.0).await;
        for _ in 0..2 {
            assert_eq!(get().await, None, "{}", case.kind);
        }
        case.loads(1);
        case.is(case.ask().await, Ok(0), Served::Stale(Why::Revalidating));
    }
}

// Row: Where there is no body to keep: CacheBuilder::defaults
#[tokio::test(start_paused = true)]
async fn defaults_may_hide_errors_and_nothing_that_needs_a_body() {
    let builds = |defaults: Policy| Cache::builder("x").defaults(defaults).build().is_ok();
    assert!(builds(policy().stale_if_error(SECOND).retry_after(SECOND)));
    let background = [
        policy().background_refresh(0.5),
        policy().early_refresh(1.0),
        policy().stale_while_revalidate(SECOND),
        policy().soft_timeout(SECOND),
        policy().hard_timeout(SECOND),
        policy().refresh_every(SECOND),
        policy().consistency_check(0.5),
    ];
    for defaults in background {
        assert!(!builds(defaults.clone()), "{defaults:?}");
    }
    let defaults = Policy::new().jitter(0.0).stale_if_error(60 * SECOND);
    let cache = Cache::builder("x")
        .defaults(defaults)
        .tokio_clock()
        .build()
        .expect("it builds");
    let origin = Origin::new();
    origin
        .ask(&cache, "a", &policy())
        .await
        .0
        .expect("it answers");
    origin.goes(Way::Fails);
    pass(12.0).await;
    let answer = origin.ask(&cache, "a", &policy()).await;
    assert_eq!(answer, (Ok(0), Served::Stale(Why::Failed)));
}
