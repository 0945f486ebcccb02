//! A load in one process and an eviction in another, on the model of Redis.
//!
//! Nothing tells the loading process of the eviction until it presents its lease, so the two cases are told apart by
//! time: who called before the load began may have its value, who called later may not.

use std::{sync::Arc, time::Duration};

use cache_runtime::{
    Cache, Evict, Served, cacheable, key,
    testing::{ModelRedis, leftovers},
    traced,
};
use tests::{
    crowd::Crowd,
    model::{answer, process},
    origin::Origin,
};

/// A server that is not reached in no time: what begins later is later.
fn slow_redis() -> ModelRedis {
    let redis = ModelRedis::new();
    answer(&redis, Duration::from_millis(4));
    redis
}

#[cacheable(key = "row:{row}", stampede_protection = "fleet")]
async fn read(origin: &Origin, row: u32) -> u64 {
    let _ = row;
    origin.run().await
}

async fn call(cache: Cache, origin: Arc<Origin>) -> (u64, Option<Served>) {
    cache.as_current(traced(read(&origin, 7))).await
}

/// The same entry, loaded by a process that asks for no lease where another holds it.
#[cacheable(key = "row:{row}", stampede_protection = "process")]
async fn read_here(origin: &Origin, row: u32) -> u64 {
    let _ = row;
    origin.run().await
}

async fn call_here(cache: Cache, origin: Arc<Origin>) -> (u64, Option<Served>) {
    cache.as_current(traced(read_here(&origin, 7))).await
}

fn evictions() -> [Evict; 3] {
    let row = 7;
    [
        Evict::key(key!("row:{row}")),
        Evict::pattern("row:*"),
        Evict::all(),
    ]
}

#[tokio::test(start_paused = true)]
async fn who_called_before_the_load_gets_its_value_and_nobody_later() {
    for eviction in evictions() {
        let redis = slow_redis();
        let (here, elsewhere) = (process(&redis), process(&redis));
        let origin = Origin::closed();
        let one = || call(here.clone(), Arc::clone(&origin));
        let mut crowd = Crowd::of(5, |_| one()).await;
        origin.reached(1).await;

        elsewhere.evict(eviction).await.expect("the model answers");
        tokio::time::advance(Duration::from_millis(1)).await;
        crowd.join(5, |_| one()).await;
        origin.let_through(1);
        // The early ones are answered by the first load, the late ones make a second one.
        origin.reached(2).await;
        origin.open_gate();

        let answers = crowd.answers().await;
        let values: Vec<u64> = answers.into_iter().map(|(value, _)| value).collect();
        assert_eq!(values, [1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
        assert_eq!(
            one().await,
            (2, Some(Served::Memory)),
            "the second load is cached"
        );
        assert_eq!(
            elsewhere.as_current(traced(read(&origin, 7))).await,
            (2, Some(Served::Redis))
        );
        assert_eq!(origin.runs(), 2);
        assert_eq!(here.stats().total.refused_stores, 1);
        assert_eq!((redis.leases(), leftovers(&here)), (0, Default::default()));
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_loaded_before_is_read_from_neither_tier() {
    for eviction in evictions() {
        let redis = slow_redis();
        let (here, elsewhere) = (process(&redis), process(&redis));
        let origin = Origin::closed();
        let crowd = Crowd::of(1, |_| call(here.clone(), Arc::clone(&origin))).await;
        origin.reached(1).await;
        elsewhere.evict(eviction).await.expect("the model answers");
        origin.open_gate();
        let answers = crowd.answers().await;
        assert_eq!(answers[0].0, 1);

        let row = 7;
        let there = here.inspect(&key!("row:{row}")).await;
        assert!(there.is_none_or(|there| there.memory.is_none()));
        assert_eq!(
            call(here.clone(), Arc::clone(&origin)).await,
            (2, Some(Served::Loaded))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn who_called_after_the_eviction_gets_no_older_value_from_a_load_without_a_lease() {
    let redis = slow_redis();
    let (here, elsewhere) = (process(&redis), process(&redis));
    let (origin, holder) = (Origin::closed(), Origin::closed());
    // It has the lease, so the load here goes without one: no refused store will tell of the eviction.
    let leased = Crowd::of(1, |_| call_here(elsewhere.clone(), Arc::clone(&holder))).await;
    holder.reached(1).await;
    let one = || call_here(here.clone(), Arc::clone(&origin));
    let mut crowd = Crowd::of(5, |_| one()).await;
    origin.reached(1).await;

    let row = 7;
    elsewhere
        .evict(key!("row:{row}"))
        .await
        .expect("the model answers");
    tokio::time::advance(Duration::from_millis(1)).await;
    crowd.join(5, |_| one()).await;
    origin.let_through(1);
    origin.reached(2).await;
    origin.open_gate();
    holder.open_gate();

    let answers = crowd.answers().await;
    let values: Vec<u64> = answers.into_iter().map(|(value, _)| value).collect();
    assert_eq!(values, [1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
    assert_eq!(leased.answers().await.len(), 1);
    assert_eq!((leftovers(&here), origin.runs()), (Default::default(), 2));
}
