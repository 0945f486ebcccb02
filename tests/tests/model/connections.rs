//! What is in hand is as old as the connection, and the moment, it was asked for.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::testing::{ModelRedis, Step};
use cache_runtime::{Cache, Evict, Key, cacheable};
use tests::crowd::Crowd;
use tests::model::{Slow, process};
use tests::origin::Origin;
use tokio::time::sleep;

const SECOND: Duration = Duration::from_secs(1);

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Its tag is ordered by the logical clock.
#[cacheable(key = "late:{id}", tags = ["t:{result}"], ttl = "1h")]
async fn late(id: u64) -> u64 {
    id
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_read_over_another_connection_orders_nothing() {
    let redis = ModelRedis::new();
    let cache = process(&redis);
    cache.ready(SECOND).await.unwrap();
    // Makes the tag.
    cache.as_current(late(7)).await;
    redis.set_network(Arc::new(Slow {
        process: 0,
        steps: vec![(Step::Answer("acquire"), ms(10))],
    }));
    for reconnects in [false, true] {
        cache.evict(Evict::key(Key::new("late:7"))).await.unwrap();
        let load = cache.as_current(late(7));
        let meanwhile = async {
            sleep(ms(5)).await;
            if reconnects {
                redis.reconnect();
            }
        };
        tokio::join!(load, meanwhile);
        assert_eq!(redis.values(), usize::from(!reconnects));
    }
}

#[cacheable(key = "product:{id}", tags = ["hot"], l1 = false, ttl = "1h")]
async fn product(origin: &Origin, id: u64) -> u64 {
    let _ = id;
    origin.run().await
}

async fn read(cache: Cache, origin: Arc<Origin>) -> u64 {
    cache.as_current(product(&origin, 7)).await
}

/// What a read has found disagrees with what is known of its tag, so Redis is asked again, and knows the tag as the entry does. Who calls
/// after an eviction between the two gets nothing from the first, when the bus breaks before it tells.
#[tokio::test(start_paused = true)]
async fn a_value_is_no_younger_than_the_look_that_found_it() {
    let redis = ModelRedis::new();
    let (here, elsewhere) = (process(&redis), process(&redis));
    for cache in [&here, &elsewhere] {
        cache.ready(SECOND).await.unwrap();
    }
    let origin = Origin::open();
    let one = || read(here.clone(), Arc::clone(&origin));
    assert_eq!(one().await, 1);
    redis.set_network(Arc::new(Slow {
        process: 0,
        steps: vec![
            (Step::Batch, ms(12)),
            (Step::Answer("read"), ms(5)),
            (Step::Command("acquire"), ms(10)),
            (Step::Subscribe, SECOND),
        ],
    }));
    elsewhere.evict(Evict::tag("hot")).await.unwrap();
    assert_eq!(read(elsewhere.clone(), Arc::clone(&origin)).await, 2);

    let mut crowd = Crowd::of(1, |_| one()).await;
    sleep(ms(2)).await;
    let key = Key::new("product:7");
    elsewhere.evict(Evict::key(key)).await.unwrap();
    sleep(ms(1)).await;
    crowd.join(1, |_| one()).await;
    sleep(ms(5)).await;
    redis.sever();
    assert_eq!(crowd.answers().await, [2, 3]);
}
