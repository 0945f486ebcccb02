//! One load per key in this process, however many callers: who joins, who waits, and for how long.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{Cache, Key, Policy, Served, StampedeProtection, cacheable, key, traced};
use tests::caches::{assert_nothing_left, build, builder, in_memory};
use tests::crowd::Crowd;
use tests::origin::Origin;

#[cacheable(key = "product:{id}", ttl = "1h")]
async fn product(origin: Arc<Origin>, id: u64) -> u64 {
    id * 1_000 + origin.run().await
}

#[cacheable(key = "impatient:{id}", ttl = "1h", wait_timeout = "200ms")]
async fn impatient(origin: Arc<Origin>, id: u64) -> u64 {
    id * 1_000 + origin.run().await
}

#[cacheable(key = "alone:{id}", ttl = "1h", stampede_protection = "off")]
async fn alone(origin: Arc<Origin>, id: u64) -> u64 {
    id * 1_000 + origin.run().await
}

#[cacheable(key = "fleet:{id}", ttl = "1h", stampede_protection)]
async fn fleet(origin: Arc<Origin>, id: u64) -> u64 {
    id * 1_000 + origin.run().await
}

/// A call by `function`, for a crowd.
macro_rules! calls {
    ($cache:expr, $origin:expr, $function:ident, $id:expr) => {{
        let (cache, origin) = ($cache.clone(), Arc::clone(&$origin));
        move |_| {
            let (cache, origin) = (cache.clone(), Arc::clone(&origin));
            async move { cache.as_current(traced($function(origin, $id))).await }
        }
    }};
}

#[tokio::test(start_paused = true)]
async fn a_hundred_callers_of_a_cold_key_share_one_load() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let crowd = Crowd::of(100, calls!(cache, origin, product, 7)).await;
    assert_eq!(origin.runs(), 1);
    origin.open_gate();
    let answers = crowd.answers().await;
    assert_eq!(answers.len(), 100);
    assert!(answers.iter().all(|(value, _)| *value == 7_001));
    let led = answers
        .iter()
        .filter(|(_, served)| *served == Some(Served::Loaded))
        .count();
    let shared = answers
        .iter()
        .filter(|(_, served)| *served == Some(Served::Shared))
        .count();
    assert_eq!((led, shared), (1, 99));
    let stats = cache.stats().total;
    assert_eq!(
        (stats.misses, stats.loads, stats.shared, stats.l1_hits),
        (100, 1, 99, 0)
    );
    assert_nothing_left(&cache);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_on_several_threads_share_one_load_each_round() {
    for _ in 0..50 {
        let (cache, origin) = (in_memory(), Origin::open());
        let mut calls = tokio::task::JoinSet::new();
        for number in 0..64 {
            calls.spawn(calls!(cache, origin, product, 7)(number));
        }
        assert!(
            calls
                .join_all()
                .await
                .into_iter()
                .all(|(value, _)| value == 7_001)
        );
        assert_eq!((origin.runs(), cache.stats().total.loads), (1, 1));
        assert_nothing_left(&cache);
    }
}

#[tokio::test(start_paused = true)]
async fn fleet_protection_without_redis_protects_the_process() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let crowd = Crowd::of(100, calls!(cache, origin, fleet, 7)).await;
    origin.open_gate();
    assert_eq!(crowd.answers().await.len(), 100);
    assert_eq!(origin.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_load_keeps_no_other_key_waiting() {
    let (cache, slow, fast) = (in_memory(), Origin::closed(), Origin::open());
    let crowd = Crowd::of(10, calls!(cache, slow, product, 1)).await;
    for id in 2..200 {
        assert_eq!(
            cache.as_current(product(Arc::clone(&fast), id)).await / 1_000,
            id
        );
    }
    assert_eq!(crowd.waiting(), 10);
    slow.open_gate();
    assert_eq!(crowd.answers().await.len(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_burst_after_the_load_is_served_from_memory() {
    let (cache, origin) = (in_memory(), Origin::open());
    cache.as_current(product(Arc::clone(&origin), 7)).await;
    let answers = Crowd::of(100, calls!(cache, origin, product, 7))
        .await
        .answers()
        .await;
    assert!(
        answers
            .iter()
            .all(|answer| *answer == (7_001, Some(Served::Memory)))
    );
    assert_eq!(cache.stats().total.l1_hits, 100);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_takes_over_stores_what_it_loads() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let crowd = Crowd::of(2, calls!(cache, origin, product, 7)).await;
    crowd.hang_up(0);
    origin.open_gate();
    let second = crowd.answers().await;
    assert_eq!(second, [(7_002, Some(Served::Loaded))]);
    assert_eq!(
        cache.as_current(traced(product(origin, 7))).await,
        (7_002, Some(Served::Memory))
    );
}

#[tokio::test(start_paused = true)]
async fn without_protection_every_caller_loads() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let crowd = Crowd::of(20, calls!(cache, origin, alone, 7)).await;
    assert_eq!(origin.runs(), 20);
    origin.open_gate();
    assert!(
        crowd
            .answers()
            .await
            .iter()
            .all(|(_, served)| *served == Some(Served::Loaded))
    );
    let after = cache.as_current(traced(alone(origin, 7))).await;
    assert_eq!(after.1, Some(Served::Memory));
    assert_nothing_left(&cache);
}

#[tokio::test(start_paused = true)]
async fn waiters_whose_patience_ends_share_one_load_that_is_not_stored() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let crowd = Crowd::of(50, calls!(cache, origin, impatient, 7)).await;
    assert_eq!(origin.runs(), 1);
    // Nothing can run before the waiters' timeout does, so the paused clock goes there.
    origin.reached(2).await;
    assert_eq!(cache.stats().total.wait_timeouts, 49);
    let mut latecomers = Crowd::of(10, calls!(cache, origin, impatient, 7)).await;
    assert_eq!(
        origin.runs(),
        2,
        "latecomers wait for the first load, the others for the second"
    );
    origin.reached(2).await;
    // Run 1 is first at the gate; letting both through ends both loads.
    origin.let_through(2);
    let answers = crowd.answers().await;
    let (first, second): (Vec<u64>, Vec<u64>) = answers
        .iter()
        .map(|(value, _)| value)
        .partition(|value| **value == 7_001);
    assert_eq!((first.len(), second.len()), (1, 49));
    assert!(second.iter().all(|value| *value == 7_002));
    for _ in 0..10 {
        let (value, served) = latecomers.next().await.unwrap().unwrap();
        assert_eq!((value, served), (7_001, Some(Served::Shared)));
    }
    // What is in memory is the first load's value.
    let stored = cache
        .as_current(traced(impatient(Arc::clone(&origin), 7)))
        .await;
    assert_eq!(stored, (7_001, Some(Served::Memory)));
    assert_eq!(origin.runs(), 2);
    assert_nothing_left(&cache);
}

#[tokio::test(start_paused = true)]
async fn the_load_of_those_whose_patience_ended_is_not_stored_even_if_it_ends_first() {
    let (cache, origin, stuck) = (in_memory(), Origin::closed(), Origin::closed());
    let leader = Crowd::of(1, calls!(cache, stuck, impatient, 7)).await;
    let crowd = Crowd::of(5, calls!(cache, origin, impatient, 7)).await;
    origin.reached(1).await;
    origin.open_gate();
    assert!(
        crowd
            .answers()
            .await
            .iter()
            .all(|(value, _)| *value == 7_001)
    );
    assert_eq!(cache.get::<u64>(&key_of_impatient(7)).await, None);
    stuck.open_gate();
    assert_eq!(leader.answers().await, [(7_001, Some(Served::Loaded))]);
    assert_eq!(cache.get::<u64>(&key_of_impatient(7)).await, Some(7_001));
    assert_nothing_left(&cache);
}

fn key_of_impatient(id: u64) -> Key {
    key!("impatient:{id}")
}

#[tokio::test(start_paused = true)]
async fn the_programmatic_form_shares_its_loads_too() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let call = |_| {
        let (cache, origin) = (cache.clone(), Arc::clone(&origin));
        async move {
            let load = || async move { origin.run().await };
            cache
                .get_or_load(&Key::new("programmatic"), &Policy::new(), load)
                .await
        }
    };
    let crowd = Crowd::of(100, call).await;
    assert_eq!(origin.runs(), 1);
    origin.open_gate();
    assert_eq!(crowd.answers().await, vec![1; 100]);
    assert_nothing_left(&cache);
}

#[tokio::test(start_paused = true)]
async fn the_caches_defaults_decide_where_a_site_says_nothing() {
    let defaults = Policy::new().stampede_protection(StampedeProtection::Off);
    let cache: Cache = build(builder().defaults(defaults));
    let origin = Origin::closed();
    let crowd = Crowd::of(3, calls!(cache, origin, product, 7)).await;
    assert_eq!(origin.runs(), 3);
    origin.open_gate();
    assert_eq!(crowd.answers().await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_wait_of_zero_is_over_at_once() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let policy = Policy::new().wait_timeout(Duration::ZERO);
    let call = |_| {
        let (cache, origin, policy) = (cache.clone(), Arc::clone(&origin), policy.clone());
        async move {
            let load = || async move { origin.run().await };
            cache
                .get_or_load(&Key::new("no patience"), &policy, load)
                .await
        }
    };
    let crowd = Crowd::of(3, call).await;
    origin.reached(2).await;
    origin.open_gate();
    let mut answers = crowd.answers().await;
    answers.sort_unstable();
    assert_eq!(answers, [1, 2, 2]);
}
