//! Entries whose tags their reader does not know: the entry tells it of them, and an eviction may come before that, or meanwhile.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::testing::ModelRedis;
use cache_runtime::{Cache, ErrorKind, Evict, Known, Policy, Refresh, cacheable, key};
use tests::model::{answer, process, silence};
use tests::origin::Origin;
use tokio::time::sleep;

#[cacheable(key = "product:{id}", tags = ["hot"], ttl = "1h")]
async fn tagged(origin: Arc<Origin>, id: u64) -> u64 {
    origin.run().await
}

/// The same entry.
#[cacheable(key = "product:{id}", ttl = "1h")]
async fn untagged(origin: Arc<Origin>, id: u64) -> u64 {
    origin.run().await
}

fn read(cache: &Cache, origin: &Arc<Origin>) -> impl Future<Output = u64> + Send + 'static {
    let (cache, origin) = (cache.clone(), Arc::clone(origin));
    async move { cache.as_current(untagged(origin, 7)).await }
}

/// While a read asks how the tag stands, it is evicted: the read may return what it found, and nobody later may.
#[tokio::test(start_paused = true)]
async fn a_tag_evicted_while_it_is_asked_for_is_noticed() {
    const LONGEST: Duration = Duration::from_millis(10);
    for seed in 0..200 {
        fastrand::seed(seed);
        let redis = ModelRedis::new();
        let (here, elsewhere) = (process(&redis), process(&redis));
        here.ready(Duration::from_secs(1)).await.unwrap();
        let origin = Origin::open();
        let stored = elsewhere.as_current(tagged(Arc::clone(&origin), 7)).await;
        assert_eq!(stored, 1);
        answer(&redis, LONGEST);
        let early = tokio::spawn(read(&here, &origin));
        sleep(4 * LONGEST.mul_f64(fastrand::f64())).await;
        answer(&redis, Duration::ZERO);
        here.evict(Evict::tag("hot")).await.unwrap();
        let late = read(&here, &origin).await;
        assert!(late > stored, "beside the early one, seed {seed}");
        early.await.unwrap();
        let later = read(&here, &origin).await;
        assert!(later > stored, "after the early one, seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_entry_waits_for_the_eviction_of_a_tag_that_only_it_can_tell_of() {
    let redis = ModelRedis::new();
    let (cache, id) = (process(&redis), 7);
    cache.as_current(tagged(Origin::open(), id)).await;
    silence(&redis);
    let error = cache.evict(Evict::tag("hot")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Queued);
    // The first replay is lost as well, and not given up yet.
    sleep(Duration::from_millis(10)).await;
    answer(&redis, Duration::ZERO);
    assert_eq!(cache.get::<u64>(&key!("product:{id}")).await, None);
    assert_eq!(cache.health().queued_evictions, 1);
}

/// A load has a value past its ttl in hand, and does not know its tag. Who calls when that was evicted waits for the load.
#[tokio::test(start_paused = true)]
async fn what_a_load_has_in_hand_is_not_offered_when_a_tag_of_it_was_evicted() {
    const SECOND: Duration = Duration::from_secs(1);
    async fn ask(cache: Cache, policy: Policy, value: u64, takes: Duration) -> u64 {
        let id = 7;
        let load = move |_: Option<Known<u64>>| async move {
            sleep(takes).await;
            Ok::<_, ErrorKind>(Refresh::Value(value))
        };
        let key = key!("product:{id}");
        let answer = cache.try_get_or_refresh(&key, &policy, load).await;
        answer.expect("the origin answers")
    }
    for evicted in [false, true] {
        let redis = ModelRedis::new();
        let (here, elsewhere) = (process(&redis), process(&redis));
        here.ready(SECOND).await.unwrap();
        let untagged = Policy::new()
            .ttl(SECOND)
            .stale_if_error(3_600 * SECOND)
            .soft_timeout(SECOND / 10);
        let tagged = untagged.clone().tags(["hot"]);
        assert_eq!(ask(elsewhere, tagged, 1, Duration::ZERO).await, 1);
        sleep(2 * SECOND).await;
        let early = tokio::spawn(ask(here.clone(), untagged.clone(), 2, SECOND));
        sleep(SECOND / 2).await;
        if evicted {
            here.evict(Evict::tag("hot")).await.unwrap();
        }
        let late = ask(here.clone(), untagged, 3, SECOND).await;
        assert_eq!(early.await.unwrap(), 1);
        assert_eq!(late > 1, evicted);
    }
}
