//! Closing a cache whose loads are under way: their leases are given back, and those that cannot be are told.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::testing::ModelRedis;
use cache_runtime::{Unfinished, cacheable};
use tests::crowd::Crowd;
use tests::model::{answer, process};
use tests::origin::Origin;
use tokio::time::{Instant, sleep, timeout};

const LONG: Duration = Duration::from_secs(60);

#[cacheable(key = "product:{id}", stampede_protection)]
async fn product(origin: Arc<Origin>, id: u64) -> u64 {
    origin.run().await
}

fn left(unfinished: &Unfinished) -> (usize, usize) {
    (unfinished.evictions, unfinished.leases)
}

#[tokio::test(start_paused = true)]
async fn close_waits_until_running_loads_have_given_their_leases_back() {
    let redis = ModelRedis::new();
    answer(&redis, Duration::from_millis(4));
    let (cache, origin) = (process(&redis), Origin::closed());
    let crowd = Crowd::of(5, |number| {
        let (cache, origin) = (cache.clone(), Arc::clone(&origin));
        async move { cache.as_current(product(origin, number as u64)).await }
    })
    .await;
    origin.reached(5).await;
    assert_eq!(redis.leases(), 5);
    let began = Instant::now();
    assert_eq!(left(&cache.close(LONG).await), (0, 0));
    assert!(began.elapsed() < LONG, "it does not wait for the loads");
    // The news is on its way, for far less than a lease lives.
    sleep(Duration::from_secs(1)).await;
    assert_eq!((crowd.waiting(), redis.leases()), (5, 0));
    origin.open_gate();
    assert_eq!(crowd.answers().await.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn close_tells_of_the_lease_of_a_load_that_nobody_drives() {
    let redis = ModelRedis::new();
    let (cache, origin) = (process(&redis), Origin::closed());
    let mut load = Box::pin(cache.as_current(product(Arc::clone(&origin), 7)));
    assert!(
        timeout(Duration::from_millis(100), load.as_mut())
            .await
            .is_err()
    );
    assert_eq!((origin.runs(), redis.leases()), (1, 1));
    assert_eq!(left(&cache.close(Duration::from_secs(1)).await), (0, 1));
    origin.open_gate();
    assert_eq!(load.await, 1);
    assert_eq!(
        left(&cache.close(Duration::from_secs(1)).await),
        (0, 0),
        "its end gave it back"
    );
}
