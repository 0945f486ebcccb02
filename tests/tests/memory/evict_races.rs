//! Evictions that meet a load, a hold, a drop or a panic: nothing loaded before an eviction is cached after it.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{Cache, Evict, Key, Served, cache_evict, cacheable, traced};
use tests::caches::{assert_nothing_left, in_memory, on_manual_clock};
use tests::crowd::Crowd;
use tests::origin::Origin;

const SECOND: Duration = Duration::from_secs(1);

#[cacheable(key = "product:{id}", ttl = "1h")]
async fn product(origin: Arc<Origin>, id: u64) -> u64 {
    origin.run().await
}

#[cache_evict(key = "product:{id}")]
async fn rename(id: u64) {}

#[cache_evict(key = "product:{id}", hold = "5s")]
async fn hold(id: u64) {}

#[cache_evict(key = "product:{id}")]
async fn stuck(id: u64, origin: Arc<Origin>) {
    origin.run().await;
}

#[cache_evict(key = "product:{id}", hold = "7s")]
async fn stuck_with_hold(id: u64, origin: Arc<Origin>) {
    origin.run().await;
}

#[cache_evict(pattern = "product:*")]
async fn stuck_with_pattern(origin: Arc<Origin>) {
    origin.run().await;
}

#[cache_evict(key = "product:{id}")]
async fn panicking(id: u64) {
    tokio::task::yield_now().await;
    panic!("after the update, perhaps");
}

fn calls(cache: &Cache, origin: &Arc<Origin>) -> impl Fn(usize) -> CallOf {
    let (cache, origin) = (cache.clone(), Arc::clone(origin));
    move |_| {
        let (cache, origin) = (cache.clone(), Arc::clone(&origin));
        Box::pin(async move { cache.as_current(traced(product(origin, 7))).await })
    }
}

type CallOf = std::pin::Pin<Box<dyn Future<Output = (u64, Option<Served>)> + Send>>;

async fn stored(cache: &Cache) -> Option<u64> {
    cache.get(&Key::new("product:7")).await
}

/// Loads that began before an eviction, the eviction during them, and those that come after it.
async fn evicts_during_a_load(evict: impl AsyncFnOnce(&Cache)) {
    let (cache, origin) = (in_memory(), Origin::closed());
    let before = Crowd::of(20, calls(&cache, &origin)).await;
    evict(&cache).await;
    assert_eq!(before.waiting(), 20);
    let after = Crowd::of(20, calls(&cache, &origin)).await;
    assert_eq!(
        origin.runs(),
        2,
        "who comes after the eviction does not join the old load"
    );
    origin.let_through(1);
    let answers = before.answers().await;
    assert!(
        answers.len() == 20 && answers.iter().all(|(run, _)| *run == 1),
        "those who waited get its value"
    );
    assert_eq!(stored(&cache).await, None, "and it is not cached");
    assert_eq!(cache.stats().total.refused_stores, 1);
    origin.let_through(1);
    assert!(after.answers().await.iter().all(|(run, _)| *run == 2));
    assert_eq!(stored(&cache).await, Some(2));
    assert_nothing_left(&cache);
}

#[tokio::test(start_paused = true)]
async fn a_value_loaded_before_an_eviction_by_key_is_not_cached_after_it() {
    evicts_during_a_load(async |cache| cache.evict(Key::new("product:7")).await.unwrap()).await;
    evicts_during_a_load(async |cache| cache.as_current(rename(7)).await).await;
}

#[tokio::test(start_paused = true)]
async fn a_value_loaded_before_an_eviction_by_pattern_is_not_cached_after_it() {
    evicts_during_a_load(async |cache| cache.evict(Evict::pattern("prod*:?")).await.unwrap()).await;
}

#[tokio::test(start_paused = true)]
async fn a_value_loaded_before_an_eviction_of_all_is_not_cached_after_it() {
    evicts_during_a_load(async |cache| cache.evict(Evict::all()).await.unwrap()).await;
}

#[tokio::test(start_paused = true)]
async fn the_newer_load_may_end_first_and_stays() {
    let (cache, old, new) = (in_memory(), Origin::closed(), Origin::open());
    let before = Crowd::of(5, calls(&cache, &old)).await;
    cache.as_current(rename(7)).await;
    new.run().await;
    assert_eq!(cache.as_current(product(new, 7)).await, 2);
    old.open_gate();
    assert_eq!(before.answers().await.len(), 5);
    assert_eq!(stored(&cache).await, Some(2));
    assert_nothing_left(&cache);
}

#[tokio::test(start_paused = true)]
async fn an_eviction_of_another_key_does_not_disturb_a_load() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let crowd = Crowd::of(5, calls(&cache, &origin)).await;
    cache.as_current(rename(8)).await;
    cache.evict(Evict::pattern("product:7?*")).await.unwrap();
    let later = Crowd::of(5, calls(&cache, &origin)).await;
    origin.open_gate();
    assert_eq!(
        (
            crowd.answers().await.len(),
            later.answers().await.len(),
            origin.runs()
        ),
        (5, 5, 1)
    );
    assert_eq!(stored(&cache).await, Some(1));
}

#[tokio::test(start_paused = true)]
async fn the_leader_is_dropped_after_the_eviction_and_its_waiters_are_answered() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let before = Crowd::of(100, calls(&cache, &origin)).await;
    cache.as_current(rename(7)).await;
    before.hang_up(0);
    origin.open_gate();
    assert_eq!(before.answers().await.len(), 99);
    assert_eq!(
        stored(&cache).await,
        Some(2),
        "the second load began after the eviction"
    );
    assert_nothing_left(&cache);
}

#[tokio::test]
async fn loads_during_a_hold_are_returned_and_not_stored() {
    let (cache, clock) = on_manual_clock();
    let origin = Origin::open();
    cache.as_current(hold(7)).await;
    for run in 1..=3 {
        let call = cache.as_current(traced(product(Arc::clone(&origin), 7)));
        assert_eq!(call.await, (run, Some(Served::Loaded)));
        assert_eq!(stored(&cache).await, None);
    }
    assert_eq!(cache.stats().total.refused_stores, 3);
    cache.as_current(product(Arc::clone(&origin), 8)).await;
    assert_eq!(
        cache.get::<u64>(&Key::new("product:8")).await,
        Some(4),
        "other keys are not held"
    );
    clock.advance(5 * SECOND);
    cache.as_current(product(Arc::clone(&origin), 7)).await;
    assert_eq!(stored(&cache).await, Some(5));
}

#[tokio::test(start_paused = true)]
async fn callers_during_a_hold_share_a_load() {
    let (cache, origin) = (in_memory(), Origin::closed());
    cache.as_current(hold(7)).await;
    let crowd = Crowd::of(50, calls(&cache, &origin)).await;
    origin.open_gate();
    assert_eq!((crowd.answers().await.len(), origin.runs()), (50, 1));
    assert_nothing_left(&cache);
}

#[tokio::test(start_paused = true)]
async fn a_load_that_began_during_a_hold_is_not_stored_after_it() {
    let (cache, clock) = on_manual_clock();
    let origin = Origin::closed();
    cache.as_current(hold(7)).await;
    let crowd = Crowd::of(1, calls(&cache, &origin)).await;
    clock.advance(6 * SECOND);
    origin.open_gate();
    assert_eq!(crowd.answers().await.len(), 1);
    assert_eq!(
        stored(&cache).await,
        None,
        "it may have seen what the hold was about"
    );
    cache.as_current(product(origin, 7)).await;
    assert_eq!(stored(&cache).await, Some(2));
}

#[tokio::test]
async fn a_hold_is_extended_and_never_shortened() {
    let (cache, clock) = on_manual_clock();
    let origin = Origin::open();
    cache.as_current(hold(7)).await;
    let shorter = Evict::key(Key::new("product:7")).hold(SECOND);
    cache.evict(shorter).await.unwrap();
    cache.evict(Key::new("product:7")).await.unwrap();
    cache.evict(Evict::all()).await.unwrap();
    clock.advance(4 * SECOND);
    cache.as_current(product(Arc::clone(&origin), 7)).await;
    assert_eq!(stored(&cache).await, None);
    clock.advance(SECOND);
    cache.as_current(product(origin, 7)).await;
    assert_eq!(stored(&cache).await, Some(2));
}

/// An evicting call that never comes to its end, dropped: what it did is unknown.
async fn dropped<T: Send + 'static>(cache: &Cache, call: impl Future<Output = T> + Send + 'static) {
    let current = cache.clone();
    let task = tokio::spawn(async move { current.as_current(call).await });
    tokio::task::yield_now().await;
    task.abort();
    assert!(task.await.is_err_and(|error| error.is_cancelled()));
}

#[tokio::test]
async fn a_dropped_function_evicts_at_once_and_holds_for_two_seconds() {
    let (cache, clock) = on_manual_clock();
    let origin = Origin::open();
    cache.as_current(product(Arc::clone(&origin), 7)).await;
    dropped(&cache, stuck(7, Origin::closed())).await;
    assert_eq!(stored(&cache).await, None);
    clock.advance(2 * SECOND - Duration::from_millis(1));
    cache.as_current(product(Arc::clone(&origin), 7)).await;
    assert_eq!(
        stored(&cache).await,
        None,
        "the load may have seen the old value"
    );
    clock.advance(Duration::from_millis(1));
    cache.as_current(product(origin, 7)).await;
    assert_eq!(stored(&cache).await, Some(3));
}

#[tokio::test]
async fn a_dropped_function_with_a_hold_of_its_own_keeps_to_it() {
    let (cache, clock) = on_manual_clock();
    let origin = Origin::open();
    dropped(&cache, stuck_with_hold(7, Origin::closed())).await;
    clock.advance(6 * SECOND);
    cache.as_current(product(Arc::clone(&origin), 7)).await;
    assert_eq!(stored(&cache).await, None);
    clock.advance(SECOND);
    cache.as_current(product(origin, 7)).await;
    assert_eq!(stored(&cache).await, Some(2));
}

#[tokio::test]
async fn a_dropped_function_with_a_pattern_holds_what_it_matches() {
    let (cache, clock) = on_manual_clock();
    let origin = Origin::open();
    cache.as_current(product(Arc::clone(&origin), 7)).await;
    dropped(&cache, stuck_with_pattern(Origin::closed())).await;
    assert_eq!(stored(&cache).await, None);
    cache.as_current(product(Arc::clone(&origin), 7)).await;
    assert_eq!(stored(&cache).await, None);
    clock.advance(2 * SECOND);
    cache.as_current(product(origin, 7)).await;
    assert_eq!(stored(&cache).await, Some(3));
}

#[tokio::test]
async fn a_panicking_function_evicts_and_holds() {
    let (cache, clock) = on_manual_clock();
    let origin = Origin::open();
    cache.as_current(product(Arc::clone(&origin), 7)).await;
    let current = cache.clone();
    let task = tokio::spawn(async move { current.as_current(panicking(7)).await });
    assert!(task.await.is_err_and(|error| error.is_panic()));
    assert_eq!(stored(&cache).await, None);
    cache.as_current(product(Arc::clone(&origin), 7)).await;
    assert_eq!(stored(&cache).await, None);
    clock.advance(2 * SECOND);
    cache.as_current(product(origin, 7)).await;
    assert_eq!(stored(&cache).await, Some(3));
}

#[tokio::test(start_paused = true)]
async fn a_function_dropped_during_a_load_keeps_its_value_out() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let before = Crowd::of(10, calls(&cache, &origin)).await;
    dropped(&cache, stuck(7, Origin::closed())).await;
    origin.open_gate();
    assert_eq!(before.answers().await.len(), 10);
    assert_eq!(stored(&cache).await, None);
    assert_nothing_left(&cache);
}
