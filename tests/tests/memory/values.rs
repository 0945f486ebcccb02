//! Which values are stored at all: `None`, errors, vetoed, conditional, too large, without a stored form.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{Cache, ErrorKind, Key, Policy, Served, Why, cacheable, key, refresh, traced};
use tests::caches::{assert_nothing_left, build, builder, in_memory, on_manual_clock};
use tests::origin::Origin;

type Answer<T> = Result<T, String>;

#[cacheable(key = "maybe:{id}", ttl = "1h")]
async fn maybe(origin: &Origin, id: u64) -> Option<u64> {
    let run = origin.run().await;
    (id > 0).then_some(run)
}

#[cacheable(key = "negative:{id}", ttl = "1h", negative_ttl = "5s")]
async fn negative(origin: &Origin, id: u64) -> Option<u64> {
    let run = origin.run().await;
    (id > 0).then_some(run)
}

#[cacheable(key = "result:{id}", ttl = "1h", negative_ttl = "5s")]
async fn negative_result(origin: &Origin, id: u64) -> Answer<Option<u64>> {
    let run = origin.run().await;
    if id == 99 {
        Err(format!("run {run}"))
    } else {
        Ok((id > 0).then_some(run))
    }
}

#[cacheable(key = "even", ttl = "1h", unless = |run| !run.is_multiple_of(2))]
async fn even(origin: &Origin) -> u64 {
    origin.run().await
}

fn is_empty(value: &Option<u64>) -> bool {
    value.is_none()
}

#[cacheable(key = "vetoed", ttl = "1h", negative_ttl = "1h", unless = is_empty)]
async fn vetoed(origin: &Origin, some: bool) -> Answer<Option<u64>> {
    let run = origin.run().await;
    Ok(some.then_some(run))
}

#[cacheable(key = "conditional", ttl = "1h", condition = id.is_multiple_of(2) && name.len() > 1)]
async fn conditional(origin: &Origin, id: u64, name: &str) -> u64 {
    origin.run().await
}

#[cacheable(key = "text", ttl = "1h")]
async fn long_text(origin: &Origin, length: usize) -> String {
    origin.run().await;
    "x".repeat(length)
}

#[cacheable(key = "map", ttl = "1h")]
async fn map(origin: &Origin, keys: u8) -> HashMap<(u8, u8), u64> {
    let run = origin.run().await;
    (0..keys).map(|key| ((key, key), run)).collect()
}

/// Whether the call is a hit.
async fn is_hit<T>(cache: &Cache, call: impl Future<Output = T>) -> bool {
    cache.as_current(traced(call)).await.1 == Some(Served::Memory)
}

#[tokio::test]
async fn none_is_not_cached_unless_asked_for() {
    let (cache, origin) = (in_memory(), Origin::open());
    for _ in 0..3 {
        assert_eq!(cache.as_current(maybe(&origin, 0)).await, None);
    }
    assert_eq!(origin.runs(), 3);
    assert_eq!(cache.as_current(maybe(&origin, 1)).await, Some(4));
    assert!(is_hit(&cache, maybe(&origin, 1)).await);
    assert_nothing_left(&cache);
}

#[tokio::test]
async fn none_is_cached_for_its_own_ttl() {
    let (cache, clock) = on_manual_clock();
    let origin = Origin::open();
    cache.as_current(negative(&origin, 0)).await;
    cache.as_current(negative(&origin, 1)).await;
    assert!(
        cache
            .inspect(&key!("negative:{0}"))
            .await
            .unwrap()
            .memory
            .unwrap()
            .absent
    );
    clock.advance(Duration::from_millis(4_999));
    assert!(is_hit(&cache, negative(&origin, 0)).await);
    clock.advance(Duration::from_millis(1));
    assert!(!is_hit(&cache, negative(&origin, 0)).await);
    assert!(
        is_hit(&cache, negative(&origin, 1)).await,
        "`Some` lives by the ttl"
    );
}

#[tokio::test]
async fn none_inside_a_result_is_cached_and_an_error_is_not() {
    let (cache, origin) = (in_memory(), Origin::open());
    for _ in 0..2 {
        assert_eq!(
            cache.as_current(negative_result(&origin, 0)).await,
            Ok(None)
        );
    }
    assert_eq!(origin.runs(), 1);
    assert_eq!(
        cache.as_current(negative_result(&origin, 99)).await,
        Err("run 2".to_owned())
    );
    assert_eq!(
        cache.as_current(negative_result(&origin, 99)).await,
        Err("run 3".to_owned())
    );
    let stats = cache.stats().total;
    assert_eq!((stats.loads, stats.load_errors), (3, 2));
}

#[tokio::test]
async fn a_none_that_is_not_cached_removes_the_value_it_follows() {
    let (cache, origin) = (in_memory(), Origin::open());
    for put in [false, true] {
        cache
            .put(&Key::new("maybe:0"), Some(7_u64), &POLICY)
            .await
            .unwrap();
        assert_eq!(cache.as_current(maybe(&origin, 0)).await, Some(7));
        if put {
            cache
                .put(&Key::new("maybe:0"), None::<u64>, &POLICY)
                .await
                .unwrap_err();
        } else {
            assert_eq!(cache.as_current(refresh(maybe(&origin, 0))).await, None);
        }
        assert_eq!(cache.inspect(&Key::new("maybe:0")).await, None);
    }
}

const POLICY: Policy = Policy::new();

#[tokio::test]
async fn an_error_leaves_what_is_stored() {
    let (cache, origin) = (in_memory(), Origin::open());
    cache
        .put(&Key::new("result:99"), Some(7_u64), &POLICY)
        .await
        .unwrap();
    assert!(
        cache
            .as_current(refresh(negative_result(&origin, 99)))
            .await
            .is_err()
    );
    assert_eq!(
        cache.as_current(traced(negative_result(&origin, 99))).await,
        (Ok(Some(7)), Some(Served::Memory))
    );
}

#[tokio::test]
async fn unless_vetoes_by_value_and_keeps_what_is_stored() {
    let (cache, origin) = (in_memory(), Origin::open());
    assert_eq!(cache.as_current(even(&origin)).await, 1);
    assert_eq!(cache.as_current(even(&origin)).await, 2);
    assert!(is_hit(&cache, even(&origin)).await);
    assert_eq!(cache.as_current(refresh(even(&origin))).await, 3);
    assert_eq!(
        cache.as_current(traced(even(&origin))).await,
        (2, Some(Served::Memory))
    );
}

#[tokio::test]
async fn unless_sees_the_value_inside_a_result() {
    let (cache, origin) = (in_memory(), Origin::open());
    cache.as_current(vetoed(&origin, false)).await.unwrap();
    assert_eq!(cache.as_current(vetoed(&origin, true)).await, Ok(Some(2)));
    assert_eq!(
        cache.as_current(traced(vetoed(&origin, false))).await,
        (Ok(Some(2)), Some(Served::Memory))
    );
}

#[tokio::test]
async fn a_false_condition_neither_reads_nor_writes() {
    let (cache, origin) = (in_memory(), Origin::open());
    let bypassed = Some(Served::Bypassed(Why::Condition));
    assert_eq!(
        cache
            .as_current(traced(conditional(&origin, 1, "ab")))
            .await,
        (1, bypassed)
    );
    assert_eq!(cache.as_current(conditional(&origin, 2, "ab")).await, 2);
    assert_eq!(
        cache.as_current(traced(conditional(&origin, 2, "a"))).await,
        (3, bypassed)
    );
    assert_eq!(
        cache
            .as_current(traced(conditional(&origin, 4, "ab")))
            .await,
        (2, Some(Served::Memory))
    );
    let stats = cache.stats().total;
    assert_eq!((stats.bypassed, stats.misses, stats.l1_hits), (2, 1, 1));
}

#[tokio::test]
async fn an_oversized_value_is_returned_counted_and_not_stored() {
    let cache = build(builder().max_value_bytes(100));
    let origin = Origin::open();
    // Two quotes around the text.
    assert_eq!(cache.as_current(long_text(&origin, 99)).await.len(), 99);
    assert_eq!(cache.as_current(long_text(&origin, 99)).await.len(), 99);
    assert_eq!((origin.runs(), cache.stats().total.oversized), (2, 2));
    assert_eq!(cache.as_current(long_text(&origin, 98)).await.len(), 98);
    assert!(is_hit(&cache, long_text(&origin, 98)).await);
    // Its successor is too large: the old value must not outlive it.
    assert_eq!(
        cache
            .as_current(refresh(long_text(&origin, 500)))
            .await
            .len(),
        500
    );
    assert_eq!(cache.inspect(&Key::new("text")).await, None);
    let error = cache
        .put(&Key::new("text"), "x".repeat(99), &POLICY)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unstorable);
    assert_nothing_left(&cache);
}

#[tokio::test]
async fn a_value_without_a_stored_form_is_returned_and_counted() {
    let (cache, origin) = (in_memory(), Origin::open());
    for run in 1..=3 {
        assert_eq!(
            cache.as_current(map(&origin, 1)).await,
            HashMap::from([((0, 0), run)])
        );
    }
    let stats = cache.stats().total;
    assert_eq!(
        (stats.unserializable, stats.loads, stats.l1_hits),
        (3, 3, 0)
    );
    assert_nothing_left(&cache);
}

#[tokio::test]
async fn waiters_share_a_value_that_is_not_stored() {
    let cache = build(builder().max_value_bytes(10));
    let origin = Origin::closed();
    let call = |_| {
        let (cache, origin) = (cache.clone(), Arc::clone(&origin));
        async move { cache.as_current(long_text(&origin, 50)).await.len() }
    };
    let crowd = tests::crowd::Crowd::of(20, call).await;
    origin.open_gate();
    assert_eq!(crowd.answers().await, vec![50; 20]);
    assert_eq!(origin.runs(), 1);
}
