//! Puts that leave Redis out: what it has under the key, and what others have of it, is old all the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cache_runtime::testing::ModelRedis;
use cache_runtime::{Cache, ErrorKind, Evict, Policy, Served, cache_put, cacheable, key, traced};
use tests::model::{answer, process, silence};
use tests::origin::Origin;
use tokio::time::{sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);
/// Older values in memory are asked for again.
const PAST_MAX_AGE: Duration = Duration::from_secs(61);

/// What the functions read and write.
type Table = Arc<AtomicU64>;

#[cacheable(key = "product:{id}", ttl = "1h")]
async fn product(table: &Table, id: u64) -> u64 {
    table.load(Ordering::SeqCst)
}

#[cache_put(key = "product:{id}", ttl = "1h", l2 = false)]
async fn set_product(table: &Table, id: u64, value: u64) -> u64 {
    table.store(value, Ordering::SeqCst);
    value
}

#[cache_put(key = "product:{id}", ttl = "1h", l2 = false)]
async fn set_slowly(table: &Table, id: u64, value: u64, origin: &Origin) -> u64 {
    table.store(value, Ordering::SeqCst);
    origin.run().await;
    value
}

/// Two processes that have the value 1, and Redis has it as well.
async fn two_that_know(redis: &ModelRedis, table: &Table) -> (Cache, Cache) {
    let (here, elsewhere) = (process(redis), process(redis));
    for cache in [&here, &elsewhere] {
        cache.ready(SECOND).await.expect("Redis answers");
        assert_eq!(read(cache, table).await, 1);
    }
    (here, elsewhere)
}

fn table() -> Table {
    Arc::new(AtomicU64::new(1))
}

async fn read(cache: &Cache, table: &Table) -> u64 {
    cache.as_current(product(table, 7)).await
}

async fn served(cache: &Cache, table: &Table) -> Option<Served> {
    cache.as_current(traced(product(table, 7))).await.1
}

/// Like an attribute, by hand.
async fn put(cache: &Cache, table: &Table, value: u64) -> Result<(), cache_runtime::CacheError> {
    table.store(value, Ordering::SeqCst);
    let policy = Policy::new().l2(false);
    cache.put(&key!("product:{7}"), value, &policy).await
}

async fn everybody_reads(value: u64, caches: [&Cache; 2], table: &Table) {
    // The messages are on their way.
    sleep(Duration::from_millis(20)).await;
    for cache in caches {
        assert_eq!(read(cache, table).await, value);
    }
    sleep(PAST_MAX_AGE).await;
    for cache in caches {
        assert_eq!(read(cache, table).await, value, "from Redis");
    }
}

#[tokio::test(start_paused = true)]
async fn what_redis_and_others_have_is_evicted() {
    let (redis, table) = (ModelRedis::new(), table());
    let (here, elsewhere) = two_that_know(&redis, &table).await;
    put(&here, &table, 2).await.unwrap();
    assert_eq!(served(&here, &table).await, Some(Served::Memory));
    everybody_reads(2, [&here, &elsewhere], &table).await;
    here.as_current(set_product(&table, 7, 3)).await;
    assert_eq!(served(&here, &table).await, Some(Served::Memory));
    everybody_reads(3, [&here, &elsewhere], &table).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_loaded_before_is_not_stored_behind_it() {
    #[cacheable(key = "product:{id}", ttl = "1h")]
    async fn slowly(table: &Table, id: u64, origin: &Origin) -> u64 {
        let value = table.load(Ordering::SeqCst);
        origin.run().await;
        value
    }
    let (redis, table) = (ModelRedis::new(), table());
    let (here, elsewhere) = (process(&redis), process(&redis));
    here.ready(SECOND).await.unwrap();
    elsewhere.ready(SECOND).await.unwrap();
    let origin = Origin::closed();
    let load = tokio::spawn({
        let (elsewhere, table, origin) = (elsewhere.clone(), table.clone(), Arc::clone(&origin));
        async move { elsewhere.as_current(slowly(&table, 7, &origin)).await }
    });
    origin.reached(1).await;
    put(&here, &table, 2).await.unwrap();
    origin.open_gate();
    assert_eq!(load.await.unwrap(), 1);
    everybody_reads(2, [&here, &elsewhere], &table).await;
}

#[tokio::test(start_paused = true)]
async fn an_eviction_meanwhile_wins() {
    let (redis, table) = (ModelRedis::new(), table());
    let (here, elsewhere) = two_that_know(&redis, &table).await;
    let origin = Origin::closed();
    let slow = tokio::spawn({
        let (here, table, origin) = (here.clone(), table.clone(), Arc::clone(&origin));
        async move { here.as_current(set_slowly(&table, 7, 2, &origin)).await }
    });
    origin.reached(1).await;
    table.store(3, Ordering::SeqCst);
    elsewhere
        .evict(Evict::key(key!("product:{7}")))
        .await
        .unwrap();
    origin.open_gate();
    slow.await.unwrap();
    everybody_reads(3, [&here, &elsewhere], &table).await;
}

#[tokio::test(start_paused = true)]
async fn an_eviction_that_nobody_confirms_is_queued() {
    let (redis, table) = (ModelRedis::new(), table());
    let (here, elsewhere) = two_that_know(&redis, &table).await;
    silence(&redis);
    let error = put(&here, &table, 2).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Queued);
    assert_eq!(here.health().queued_evictions, 1);
    assert_eq!(read(&here, &table).await, 2);
    answer(&redis, Duration::ZERO);
    sleep(10 * SECOND).await;
    assert_eq!(here.health().queued_evictions, 0);
    everybody_reads(2, [&here, &elsewhere], &table).await;
}

#[tokio::test(start_paused = true)]
async fn a_region_that_an_argument_led_to_takes_it() {
    let (redis, name) = (ModelRedis::new(), "hot");
    let (here, elsewhere) = (process(&redis), process(&redis));
    here.ready(SECOND).await.unwrap();
    elsewhere.ready(SECOND).await.unwrap();
    let (key, policy) = (key!("list:{name}:{1}"), Policy::new().l2(false));
    here.put(&key, 1_u64, &policy).await.unwrap();
    assert_eq!(here.get::<u64>(&key).await, Some(1));
    elsewhere.evict(Evict::region("list:hot")).await.unwrap();
    sleep(SECOND).await;
    assert_eq!(here.get::<u64>(&key).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_closed_cache_evicts_in_memory() {
    let (redis, table) = (ModelRedis::new(), table());
    let (here, _) = two_that_know(&redis, &table).await;
    here.close(SECOND).await;
    let error = put(&here, &table, 2).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    let info = here.inspect(&key!("product:{7}")).await;
    assert!(info.is_none_or(|info| info.memory.is_none()));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_put_evicts() {
    for after in [0, 1, 3, 5, 7] {
        let (redis, table) = (ModelRedis::new(), table());
        let (here, elsewhere) = two_that_know(&redis, &table).await;
        answer(&redis, Duration::from_millis(5));
        let dropped = timeout(Duration::from_millis(after), put(&here, &table, 2)).await;
        answer(&redis, Duration::ZERO);
        assert_eq!(read(&here, &table).await, 2, "{dropped:?} after {after} ms");
        sleep(10 * SECOND).await;
        everybody_reads(2, [&here, &elsewhere], &table).await;
    }
}

/// Whoever commits last is read by everybody, whatever the messages and answers take.
#[tokio::test(start_paused = true)]
async fn of_two_the_last_value_or_none_remains() {
    const LONGEST: Duration = Duration::from_millis(10);
    for seed in 0..300 {
        fastrand::seed(seed);
        let (redis, table) = (ModelRedis::new(), table());
        let (here, elsewhere) = two_that_know(&redis, &table).await;
        answer(&redis, LONGEST);
        let writer = |cache: &Cache, value| {
            let (cache, table) = (cache.clone(), table.clone());
            let pause = LONGEST.mul_f64(2.0 * fastrand::f64());
            tokio::spawn(async move {
                sleep(pause).await;
                cache.as_current(set_product(&table, 7, value)).await
            })
        };
        let writers = [writer(&here, 2), writer(&elsewhere, 3), writer(&here, 4)];
        for writer in writers {
            writer.await.unwrap();
        }
        sleep(2 * LONGEST).await;
        let last = table.load(Ordering::SeqCst);
        for cache in [&here, &elsewhere] {
            assert_eq!(read(cache, &table).await, last, "seed {seed}");
        }
    }
}
