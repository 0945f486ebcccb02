//! `#[cache_put]` and `Cache::put`: the value written is the value cached, or nothing is.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{
    Cache, ErrorKind, Evict, Key, Policy, Served, bypass, cache_evict, cache_put, cacheable,
    refresh, traced,
};
use tests::caches::{assert_nothing_left, build, builder, in_memory, on_manual_clock};
use tests::crowd::Crowd;
use tests::origin::Origin;

const POLICY: Policy = Policy::new();

#[cacheable(key = "product:{id}", ttl = "1h")]
async fn product(origin: Arc<Origin>, id: u64) -> u64 {
    origin.run().await
}

#[cache_put(key = "product:{id}", ttl = "10s")]
async fn update(id: u64, value: u64) -> Result<u64, String> {
    if value == 0 {
        Err("refused".to_owned())
    } else {
        Ok(value)
    }
}

/// Writes `value` once the origin lets it.
#[cache_put(key = "product:{id}", ttl = "1h")]
async fn slow(origin: Arc<Origin>, id: u64, value: u64) -> u64 {
    origin.run().await;
    value
}

#[cache_put(key = "product:{id}", condition = value > 10, unless = |value| *value > 100)]
async fn choosy(id: u64, value: u64) -> u64 {
    value
}

#[cache_put(key = "product:{result}")]
async fn by_result(value: u64) -> u64 {
    value
}

#[cache_put(key = "maybe", negative_ttl = "5s", ttl_from = |_| Duration::from_secs(3))]
async fn maybe(value: Option<u64>) -> Option<u64> {
    value
}

#[cache_put(key = "product:{id}")]
async fn panicking(id: u64) -> u64 {
    tokio::task::yield_now().await;
    panic!("after the update, perhaps {id}");
}

#[cache_evict(pattern = "list:*")]
#[cache_put(key = "product:{id}")]
async fn with_eviction(id: u64, value: u64) -> u64 {
    value
}

async fn stored(cache: &Cache) -> Option<u64> {
    cache.get(&Key::new("product:7")).await
}

/// A put of `value` as a task, begun but not ended.
async fn begin(cache: &Cache, origin: &Arc<Origin>, value: u64) -> Crowd<u64> {
    Crowd::of(1, |_| {
        let (cache, origin) = (cache.clone(), Arc::clone(origin));
        async move { cache.as_current(slow(origin, 7, value)).await }
    })
    .await
}

fn calls(cache: &Cache, origin: &Arc<Origin>) -> impl Fn(usize) -> CallOf {
    let (cache, origin) = (cache.clone(), Arc::clone(origin));
    move |_| {
        let (cache, origin) = (cache.clone(), Arc::clone(&origin));
        Box::pin(async move { cache.as_current(product(origin, 7)).await })
    }
}

type CallOf = std::pin::Pin<Box<dyn Future<Output = u64> + Send>>;

#[tokio::test]
async fn a_put_runs_always_and_readers_see_its_value() {
    let (cache, origin) = (in_memory(), Origin::open());
    assert_eq!(cache.as_current(product(Arc::clone(&origin), 7)).await, 1);
    for value in [70, 71, 72] {
        assert_eq!(cache.as_current(update(7, value)).await, Ok(value));
        assert_eq!(
            cache
                .as_current(traced(product(Arc::clone(&origin), 7)))
                .await,
            (value, Some(Served::Memory))
        );
    }
    assert_eq!(origin.runs(), 1);
    assert_nothing_left(&cache);
}

#[tokio::test]
async fn a_put_has_the_life_its_own_options_say() {
    let (cache, clock) = on_manual_clock();
    cache.as_current(update(7, 70)).await.unwrap();
    clock.advance(Duration::from_secs(10));
    assert_eq!(stored(&cache).await, None);
    let remaining = async |cache: &Cache| {
        cache
            .inspect(&Key::new("maybe"))
            .await
            .unwrap()
            .memory
            .unwrap()
            .remaining
    };
    cache.as_current(maybe(Some(1))).await;
    assert_eq!(remaining(&cache).await, Duration::from_secs(3));
    cache.as_current(maybe(None)).await;
    assert_eq!(remaining(&cache).await, Duration::from_secs(5));
    assert_eq!(
        cache.get::<Option<u64>>(&Key::new("maybe")).await,
        Some(None)
    );
}

#[tokio::test]
async fn a_put_that_fails_evicts() {
    let (cache, origin) = (in_memory(), Origin::open());
    cache.as_current(product(Arc::clone(&origin), 7)).await;
    assert!(cache.as_current(update(7, 0)).await.is_err());
    assert_eq!(
        cache.as_current(product(origin, 7)).await,
        2,
        "what the failed update did is unknown"
    );
    assert_eq!(
        stored(&cache).await,
        Some(2),
        "an error is no reason to hold"
    );
    assert_nothing_left(&cache);
}

#[tokio::test]
async fn a_dropped_or_panicking_put_evicts_and_holds() {
    for panics in [false, true] {
        let (cache, clock) = on_manual_clock();
        let origin = Origin::open();
        cache.as_current(product(Arc::clone(&origin), 7)).await;
        if panics {
            let current = cache.clone();
            let task = tokio::spawn(async move { current.as_current(panicking(7)).await });
            assert!(task.await.is_err_and(|error| error.is_panic()));
        } else {
            let put = begin(&cache, &Origin::closed(), 70).await;
            put.hang_up(0);
            assert!(put.answers().await.is_empty());
        }
        assert_eq!(stored(&cache).await, None, "panics: {panics}");
        cache.as_current(product(Arc::clone(&origin), 7)).await;
        assert_eq!(
            stored(&cache).await,
            None,
            "the load may have seen the old value"
        );
        clock.advance(Duration::from_secs(2));
        cache.as_current(product(origin, 7)).await;
        assert_eq!(stored(&cache).await, Some(3));
        assert_nothing_left(&cache);
    }
}

#[tokio::test]
async fn a_put_that_is_not_to_be_stored_evicts() {
    let cache = in_memory();
    cache
        .put(&Key::new("product:7"), 1_u64, &POLICY)
        .await
        .unwrap();
    assert_eq!(cache.as_current(choosy(7, 5)).await, 5);
    assert_eq!(
        stored(&cache).await,
        Some(1),
        "a false condition leaves the cache alone"
    );
    cache.as_current(choosy(7, 50)).await;
    assert_eq!(stored(&cache).await, Some(50));
    cache.as_current(choosy(7, 500)).await;
    assert_eq!(
        stored(&cache).await,
        None,
        "`unless`: the origin has changed, so what is stored is old"
    );
}

#[tokio::test]
async fn a_put_by_result_evicts_instead() {
    let cache = in_memory();
    for id in [7, 8] {
        cache
            .put(&Key::new(&format!("product:{id}")), 1_u64, &POLICY)
            .await
            .unwrap();
    }
    assert_eq!(cache.as_current(by_result(7)).await, 7);
    assert_eq!(stored(&cache).await, None);
    assert_eq!(cache.get::<u64>(&Key::new("product:8")).await, Some(1));
}

#[tokio::test]
async fn a_put_and_an_eviction_may_share_a_function() {
    let cache = in_memory();
    cache
        .put(&Key::new("list:1"), 1_u64, &POLICY)
        .await
        .unwrap();
    cache.as_current(with_eviction(7, 70)).await;
    assert_eq!(
        (
            stored(&cache).await,
            cache.get::<u64>(&Key::new("list:1")).await
        ),
        (Some(70), None)
    );
}

#[tokio::test(start_paused = true)]
async fn a_load_that_runs_when_a_put_begins_is_not_cached() {
    let (cache, loads, puts) = (in_memory(), Origin::closed(), Origin::closed());
    let before = Crowd::of(10, calls(&cache, &loads)).await;
    let put = begin(&cache, &puts, 70).await;
    puts.open_gate();
    assert_eq!(put.answers().await, [70]);
    assert_eq!(stored(&cache).await, Some(70));
    loads.open_gate();
    assert_eq!(
        before.answers().await,
        vec![1; 10],
        "those who waited get what they waited for"
    );
    assert_eq!(stored(&cache).await, Some(70));
    assert_nothing_left(&cache);
}

#[tokio::test(start_paused = true)]
async fn a_load_beside_a_put_is_shared_and_not_cached() {
    let (cache, loads, puts) = (in_memory(), Origin::closed(), Origin::closed());
    let put = begin(&cache, &puts, 70).await;
    let beside = Crowd::of(10, calls(&cache, &loads)).await;
    assert_eq!(loads.runs(), 1);
    loads.open_gate();
    assert_eq!(beside.answers().await, vec![1; 10]);
    assert_eq!(stored(&cache).await, None);
    puts.open_gate();
    assert_eq!(put.answers().await, [70]);
    assert_eq!(stored(&cache).await, Some(70));
    assert_nothing_left(&cache);
}

#[tokio::test(start_paused = true)]
async fn a_load_that_began_beside_a_put_is_not_cached_after_it() {
    let (cache, loads, puts) = (in_memory(), Origin::closed(), Origin::closed());
    let put = begin(&cache, &puts, 70).await;
    let beside = Crowd::of(10, calls(&cache, &loads)).await;
    puts.open_gate();
    put.answers().await;
    loads.open_gate();
    beside.answers().await;
    assert_eq!(stored(&cache).await, Some(70));
}

#[tokio::test(start_paused = true)]
async fn puts_that_overlap_leave_nothing_old_in_either_order() {
    for first_ends_first in [true, false] {
        let (cache, one, two) = (in_memory(), Origin::closed(), Origin::closed());
        cache
            .put(&Key::new("product:7"), 1_u64, &POLICY)
            .await
            .unwrap();
        let first = begin(&cache, &one, 71).await;
        let second = begin(&cache, &two, 72).await;
        let (former, latter) = if first_ends_first {
            (&one, &two)
        } else {
            (&two, &one)
        };
        let (former_put, latter_put) = if first_ends_first {
            (first, second)
        } else {
            (second, first)
        };
        former.open_gate();
        former_put.answers().await;
        latter.open_gate();
        latter_put.answers().await;
        // Who committed first nobody knows: the second that began may have been first at the origin.
        assert_eq!(
            stored(&cache).await,
            None,
            "first ends first: {first_ends_first}"
        );
        assert_nothing_left(&cache);
    }
}

#[tokio::test(start_paused = true)]
async fn an_eviction_during_a_put_wins() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let put = begin(&cache, &origin, 70).await;
    cache.evict(Evict::pattern("product:*")).await.unwrap();
    origin.open_gate();
    assert_eq!(put.answers().await, [70]);
    assert_eq!(stored(&cache).await, None);
    assert_nothing_left(&cache);
}

#[tokio::test]
async fn a_put_during_a_hold_evicts() {
    let (cache, clock) = on_manual_clock();
    cache
        .evict(Evict::key(Key::new("product:7")).hold(Duration::from_secs(5)))
        .await
        .unwrap();
    cache.as_current(update(7, 70)).await.unwrap();
    assert_eq!(stored(&cache).await, None);
    let error = cache
        .put(&Key::new("product:7"), 71_u64, &POLICY)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotStored);
    assert!(error.is_transient());
    clock.advance(Duration::from_secs(5));
    cache.as_current(update(7, 72)).await.unwrap();
    assert_eq!(stored(&cache).await, Some(72));
}

#[tokio::test]
async fn a_put_by_hand_replaces_and_one_too_large_evicts() {
    let cache = build(builder().max_value_bytes(10));
    let key = Key::new("text");
    for text in ["a", "b"] {
        cache.put(&key, text.to_owned(), &POLICY).await.unwrap();
        assert_eq!(cache.get::<String>(&key).await.as_deref(), Some(text));
    }
    let error = cache.put(&key, "x".repeat(11), &POLICY).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.is_transient()),
        (ErrorKind::Unstorable, false)
    );
    assert_eq!(cache.get::<String>(&key).await, None);
    assert_eq!(cache.stats().total.oversized, 1);
}

#[tokio::test]
async fn bypass_and_refresh_around_a_put() {
    let cache = in_memory();
    cache.as_current(refresh(update(7, 70))).await.unwrap();
    assert_eq!(stored(&cache).await, Some(70));
    cache.as_current(bypass(update(7, 71))).await.unwrap();
    assert_eq!(stored(&cache).await, None);
}
