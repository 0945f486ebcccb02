//! Loads that ask for keys being loaded: straight recursion runs through, cycles between callers end.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{Key, Policy, Served, Why, bypass, cacheable, traced};
use tests::caches::{assert_nothing_left, in_memory};
use tests::origin::Origin;

#[cacheable(key = "same", ttl = "1h")]
fn same(depth: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move {
        if depth == 0 {
            1
        } else {
            same(depth - 1).await + 1
        }
    })
}

#[cacheable(key = "tree:{n}", ttl = "1h")]
async fn fibonacci(origin: Arc<Origin>, n: u64) -> u64 {
    origin.run().await;
    if n < 2 {
        return n;
    }
    Box::pin(fibonacci(Arc::clone(&origin), n - 1)).await + Box::pin(fibonacci(origin, n - 2)).await
}

/// Asks `right`, which asks `left`; both meet before they ask.
#[cacheable(key = "left", ttl = "1h", wait_timeout = "200ms")]
fn left(both: Arc<tokio::sync::Barrier>, depth: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move {
        if depth == 0 {
            return 1;
        }
        if depth == 3 {
            both.wait().await;
        }
        right(both, depth - 1).await + 1
    })
}

#[cacheable(key = "right", ttl = "1h", wait_timeout = "200ms")]
fn right(both: Arc<tokio::sync::Barrier>, depth: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move {
        if depth == 0 {
            return 1;
        }
        if depth == 3 {
            both.wait().await;
        }
        left(both, depth - 1).await + 1
    })
}

#[cacheable(key = "outer", ttl = "1h")]
async fn outer(origin: Arc<Origin>) -> String {
    format!("{:?}", traced(inner(origin)).await.1)
}

#[cacheable(key = "inner", ttl = "1h")]
async fn inner(origin: Arc<Origin>) -> u64 {
    origin.run().await
}

#[tokio::test]
async fn a_load_that_asks_for_its_own_key_runs_through() {
    let cache = in_memory();
    assert_eq!(
        cache.as_current(traced(same(3))).await,
        (4, Some(Served::Loaded))
    );
    let stats = cache.stats().total;
    assert_eq!(
        (stats.loads, stats.bypassed, stats.misses),
        (1, 3, 1),
        "what runs through is no load of the cache's"
    );
    assert_eq!(
        cache.as_current(traced(same(0))).await,
        (4, Some(Served::Memory)),
        "the outermost is stored"
    );
    assert_nothing_left(&cache);
}

#[tokio::test]
async fn recursion_through_the_programmatic_form_runs_through() {
    let cache = in_memory();
    let key = Key::new("programmatic");
    let policy = Policy::new();
    let value = cache.get_or_load(&key, &policy, || async {
        let inside = cache.get_or_load(&key, &policy, || async { 20 }).await;
        inside + 1
    });
    assert_eq!(value.await, 21);
    assert_eq!(cache.get::<i32>(&key).await, Some(21));
    assert_nothing_left(&cache);
}

#[tokio::test]
async fn recursion_over_other_keys_uses_the_cache() {
    let (cache, origin) = (in_memory(), Origin::open());
    assert_eq!(
        cache.as_current(fibonacci(Arc::clone(&origin), 30)).await,
        832_040
    );
    assert_eq!(origin.runs(), 31);
    assert_nothing_left(&cache);
}

#[cacheable(key = "told", ttl = "1h")]
fn told(depth: u64) -> Pin<Box<dyn Future<Output = String> + Send>> {
    Box::pin(async move {
        if depth == 0 {
            return String::new();
        }
        format!("{:?}", traced(told(depth - 1)).await.1)
    })
}

#[tokio::test]
async fn recursion_is_told_where_it_happens() {
    let recursion = format!("{:?}", Some(Served::Bypassed(Why::Recursion)));
    assert_eq!(in_memory().as_current(told(1)).await, recursion);
}

#[tokio::test(start_paused = true)]
async fn a_cycle_between_two_callers_ends_when_the_wait_does() {
    let cache = in_memory();
    let both = Arc::new(tokio::sync::Barrier::new(2));
    let (one, other) = (left(Arc::clone(&both), 3), right(Arc::clone(&both), 3));
    let started = tokio::time::Instant::now();
    let ends = tokio::time::timeout(Duration::from_secs(3600), async {
        tokio::join!(cache.as_current(one), cache.as_current(other))
    });
    let (one, other) = ends.await.expect("a cycle ends");
    assert!(one >= 2 && other >= 2, "{one} {other}");
    // On the paused clock nothing but the waits takes time: at most one of them per level.
    assert!(
        started.elapsed() <= Duration::from_millis(800),
        "{:?}",
        started.elapsed()
    );
    assert!(cache.stats().total.wait_timeouts >= 1);
    assert_nothing_left(&cache);
}

#[tokio::test]
async fn the_same_key_of_another_cache_is_no_recursion() {
    let (one, other) = (in_memory(), in_memory());
    let key = Key::new("both");
    let policy = Policy::new();
    let value = one.get_or_load(&key, &policy, || async {
        other.get_or_load(&key, &policy, || async { 1 }).await + 1
    });
    assert_eq!(value.await, 2);
    assert_eq!(
        (one.get(&key).await, other.get(&key).await),
        (Some(2), Some(1))
    );
}

#[tokio::test]
async fn a_bypassed_call_does_not_bypass_the_calls_inside_its_load() {
    let (cache, origin) = (in_memory(), Origin::open());
    for served in [Served::Loaded, Served::Memory, Served::Memory] {
        let inside = cache.as_current(bypass(outer(Arc::clone(&origin)))).await;
        assert_eq!(inside, format!("{:?}", Some(served)));
    }
    assert_eq!(origin.runs(), 1);
}
