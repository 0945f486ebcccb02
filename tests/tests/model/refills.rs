//! After an eviction of many, every load is stored: what one call finds disagreeing with a label does not take the label from those beside it.

use std::time::Duration;

use cache_runtime::testing::ModelRedis;
use cache_runtime::{Cache, Evict, cacheable};
use tests::model::{answer, process};
use tokio::{task::JoinSet, time::sleep};

#[cacheable(key = "item:{id}", ttl = "1h", l1 = false, stampede_protection)]
async fn item(id: u64) -> u64 {
    id
}

async fn read_all(cache: &Cache) -> u64 {
    let before = cache.stats().total.loads;
    let mut reads = JoinSet::new();
    for id in 0..100 {
        let cache = cache.clone();
        reads.spawn(async move {
            sleep(Duration::from_millis(id)).await;
            cache.as_current(item(id)).await
        });
    }
    reads.join_all().await;
    cache.stats().total.loads - before
}

#[tokio::test(start_paused = true)]
async fn every_load_after_an_eviction_of_a_region_is_stored() {
    for seed in 0..10 {
        fastrand::seed(seed);
        let redis = ModelRedis::new();
        let cache = process(&redis);
        cache.ready(Duration::from_secs(1)).await.unwrap();
        assert_eq!(read_all(&cache).await, 100);
        cache.evict(Evict::region("item")).await.unwrap();
        answer(&redis, Duration::from_millis(10));
        assert_eq!(read_all(&cache).await, 100, "seed {seed}");
        assert_eq!(
            read_all(&cache).await,
            0,
            "loads that were not stored, seed {seed}"
        );
    }
}
