//! Puts that meet a load, another put, an eviction, a drop or a panic: what may be old is cached by nobody.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{Cache, Evict, Key, Policy, Served, cache_put, cacheable, traced};
use tests::caches::{assert_nothing_left, in_memory, on_manual_clock};
use tests::crowd::Crowd;
use tests::origin::Origin;
use tokio::time::Instant;

const POLICY: Policy = Policy::new();

#[cacheable(key = "product:{id}", ttl = "1h")]
async fn product(origin: Arc<Origin>, id: u64) -> u64 {
    origin.run().await
}

async fn stored(cache: &Cache) -> Option<u64> {
    cache.get(&Key::new("product:7")).await
}

/// Writes `value` once the origin lets it.
#[cache_put(key = "product:{id}", ttl = "1h")]
async fn slow(origin: Arc<Origin>, id: u64, value: u64) -> u64 {
    origin.run().await;
    value
}

#[cache_put(key = "product:{id}")]
async fn panicking(id: u64) -> u64 {
    tokio::task::yield_now().await;
    panic!("after the update, perhaps {id}");
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

#[tokio::test(start_paused = true)]
async fn a_load_beside_a_put_that_hangs_holds_others_up_for_their_timeout_and_no_longer() {
    let (cache, hung, puts) = (in_memory(), Origin::closed(), Origin::closed());
    let put = begin(&cache, &puts, 70).await;
    let first = Crowd::of(1, calls(&cache, &hung)).await;
    let began = Instant::now();
    let second = cache.as_current(traced(product(Origin::open(), 7))).await;
    assert_eq!(second, (1, Some(Served::Loaded)));
    // `wait_timeout` is five seconds where nobody says otherwise.
    assert!(
        began.elapsed() < Duration::from_secs(6),
        "{:?}",
        began.elapsed()
    );
    assert_eq!((put.waiting(), first.waiting()), (1, 1));
    assert_eq!(stored(&cache).await, None);
}
