//! The memory tier's bounds, leaving it out, and caches beside each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cache_runtime::{Cache, Evict, Key, Memory, Policy, Served, cacheable, key, traced};
use tests::caches::{assert_nothing_left, build, builder, in_memory, on_manual_clock};
use tests::crowd::Crowd;
use tests::origin::Origin;

const POLICY: Policy = Policy::new();

#[cacheable(key = "both:{id}", ttl = "1h")]
async fn both(origin: Arc<Origin>, id: u64) -> u64 {
    origin.run().await
}

#[cacheable(key = "no l1", ttl = "1h", l1 = false)]
async fn without_memory(origin: &Origin) -> u64 {
    origin.run().await
}

#[cacheable(key = "no l2", ttl = "1h", l2 = false)]
async fn without_redis(origin: &Origin) -> u64 {
    origin.run().await
}

#[cacheable(key = "capped", ttl = "1h", l1 = "5s")]
async fn capped(origin: &Origin) -> u64 {
    origin.run().await
}

async fn stored(cache: &Cache, ids: std::ops::Range<u64>) -> usize {
    let mut stored = 0;
    for id in ids {
        stored += usize::from(cache.get::<String>(&key!("entry:{id}")).await.is_some());
    }
    stored
}

async fn fill(cache: &Cache, ids: std::ops::Range<u64>, length: usize) {
    for id in ids {
        let (key, text) = (key!("entry:{id}"), "x".repeat(length));
        assert!(cache.put(&key, text, &POLICY).await.is_ok());
    }
}

#[tokio::test]
async fn no_more_entries_are_held_than_the_bound() {
    let cache = build(builder().memory(Memory::new().max_entries(100)));
    fill(&cache, 0..1_000, 10).await;
    let held = stored(&cache, 0..1_000).await;
    assert!((50..=100).contains(&held), "{held}");
    let one = build(builder().memory(Memory::new().max_entries(1)));
    fill(&one, 0..10, 10).await;
    assert!(stored(&one, 0..10).await <= 1);
}

#[tokio::test]
async fn everything_below_the_bound_is_held() {
    let cache = build(builder().memory(Memory::new().max_entries(10_000)));
    fill(&cache, 0..5_000, 10).await;
    assert_eq!(stored(&cache, 0..5_000).await, 5_000);
}

#[tokio::test]
async fn a_bound_in_bytes_counts_keys_and_encoded_values() {
    let cache = build(builder().memory(Memory::new().max_bytes(100_000)));
    fill(&cache, 0..1_000, 1_000).await;
    let held = stored(&cache, 0..1_000).await;
    assert!(
        (50..=99).contains(&held),
        "{held} entries of about 1,010 bytes"
    );
    fill(&cache, 2_000..2_001, 200_000).await;
    assert_eq!(
        stored(&cache, 2_000..2_001).await,
        0,
        "one entry larger than the tier"
    );
}

#[tokio::test]
async fn what_is_used_survives_a_scan() {
    let cache = build(builder().memory(Memory::new().max_entries(100)));
    fill(&cache, 0..10, 10).await;
    for round in 0..100 {
        assert_eq!(stored(&cache, 0..10).await, 10, "round {round}");
        fill(&cache, 1_000 + round * 10..1_010 + round * 10, 10).await;
    }
}

#[tokio::test]
async fn an_entry_pushed_out_is_loaded_again() {
    let cache = build(builder().memory(Memory::new().max_entries(10)));
    let origin = Origin::open();
    for id in 0..1_000 {
        cache.as_current(both(Arc::clone(&origin), id)).await;
    }
    for id in 0..1_000 {
        cache.as_current(both(Arc::clone(&origin), id)).await;
    }
    assert!(origin.runs() > 1_900, "{}", origin.runs());
    assert_nothing_left(&cache);
}

#[tokio::test]
async fn a_site_without_memory_and_a_cache_without_it_load_each_time() {
    let (cache, origin) = (in_memory(), Origin::open());
    for run in 1..=3 {
        assert_eq!(
            cache.as_current(traced(without_memory(&origin))).await,
            (run, Some(Served::Loaded))
        );
    }
    assert_eq!(cache.inspect(&Key::new("no l1")).await, None);
    let off = build(builder().no_memory());
    for run in 1..=3 {
        let call = off.as_current(traced(both(Arc::clone(&origin), 1)));
        assert_eq!(call.await, (run + 3, Some(Served::Loaded)));
    }
    assert_nothing_left(&off);
}

#[tokio::test(start_paused = true)]
async fn without_memory_callers_share_a_load_all_the_same() {
    let (cache, origin) = (build(builder().no_memory()), Origin::closed());
    let call = |_| {
        let (cache, origin) = (cache.clone(), Arc::clone(&origin));
        async move { cache.as_current(both(origin, 7)).await }
    };
    let crowd = Crowd::of(50, call).await;
    origin.open_gate();
    assert_eq!((crowd.answers().await, origin.runs()), (vec![1; 50], 1));
}

#[tokio::test]
async fn a_site_does_not_read_from_memory_what_another_put_there() {
    let (cache, origin) = (in_memory(), Origin::open());
    cache
        .put(&Key::new("no l1"), 70_u64, &POLICY)
        .await
        .unwrap();
    assert_eq!(cache.as_current(without_memory(&origin)).await, 1);
}

#[tokio::test]
async fn leaving_redis_out_changes_nothing_without_redis() {
    let (cache, origin) = (in_memory(), Origin::open());
    assert_eq!(cache.as_current(without_redis(&origin)).await, 1);
    assert_eq!(
        cache.as_current(traced(without_redis(&origin))).await,
        (1, Some(Served::Memory))
    );
}

#[tokio::test]
async fn a_cap_on_memory_is_shorter_than_the_ttl() {
    let (cache, clock) = on_manual_clock();
    let origin = Origin::open();
    cache.as_current(capped(&origin)).await;
    let info = cache
        .inspect(&Key::new("capped"))
        .await
        .unwrap()
        .memory
        .unwrap();
    assert_eq!(info.remaining, Duration::from_secs(5));
    clock.advance(Duration::from_millis(4_999));
    assert_eq!(
        cache.as_current(traced(capped(&origin))).await,
        (1, Some(Served::Memory))
    );
    clock.advance(Duration::from_millis(1));
    assert_eq!(
        cache.as_current(traced(capped(&origin))).await,
        (2, Some(Served::Loaded))
    );
}

#[tokio::test]
async fn max_age_counts_only_where_there_is_a_redis_tier() {
    let clock = cache_runtime::testing::ManualClock::new();
    let memory = Memory::new().max_age(Duration::from_secs(1));
    let cache = build(builder().memory(memory).manual_clock(clock.clone()));
    let origin = Origin::open();
    cache.as_current(both(Arc::clone(&origin), 1)).await;
    clock.advance(Duration::from_secs(3_599));
    assert_eq!(cache.as_current(both(origin, 1)).await, 1);
}

#[tokio::test(start_paused = true)]
async fn two_caches_share_neither_entries_nor_loads_nor_evictions() {
    let (one, other, origin) = (
        build(Cache::builder("same")),
        build(Cache::builder("same")),
        Origin::closed(),
    );
    let calls = |cache: &Cache| {
        let (cache, origin) = (cache.clone(), Arc::clone(&origin));
        move |_| {
            let (cache, origin) = (cache.clone(), Arc::clone(&origin));
            async move { cache.as_current(both(origin, 7)).await }
        }
    };
    let (first, second) = (
        Crowd::of(10, calls(&one)).await,
        Crowd::of(10, calls(&other)).await,
    );
    assert_eq!(origin.runs(), 2);
    one.evict(Evict::all()).await.unwrap();
    origin.open_gate();
    assert_eq!(
        (first.answers().await, second.answers().await),
        (vec![1; 10], vec![2; 10])
    );
    let key = Key::new("both:7");
    assert_eq!(
        (one.get::<u64>(&key).await, other.get::<u64>(&key).await),
        (None, Some(2))
    );
    assert_eq!(
        (one.stats().total.evictions, other.stats().total.evictions),
        (1, 0)
    );
    assert_eq!((one.stats().total.loads, other.stats().total.loads), (1, 1));
}

#[tokio::test]
async fn clones_of_a_handle_are_one_cache() {
    let cache = in_memory();
    cache.clone().put(&Key::new("a"), 1, &POLICY).await.unwrap();
    assert_eq!(cache.get(&Key::new("a")).await, Some(1));
}

static CLONES: AtomicU64 = AtomicU64::new(0);

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Dear;

impl Clone for Dear {
    fn clone(&self) -> Self {
        CLONES.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

#[cacheable(key = "dear", ttl = "1h")]
async fn dear() -> Dear {
    Dear
}

#[tokio::test]
async fn a_value_is_cloned_for_callers_and_not_for_memory() {
    let clones = async |cache: Cache| {
        CLONES.store(0, Ordering::SeqCst);
        cache.as_current(dear()).await;
        CLONES.load(Ordering::SeqCst)
    };
    let without = Cache::builder("off").no_memory().build().unwrap();
    let with = Cache::builder("on").build().unwrap();
    assert_eq!(clones(without).await, 1, "a load's");
    assert_eq!(clones(with.clone()).await, 1, "a load's");
    assert_eq!(clones(with).await, 1, "a hit's");
}
