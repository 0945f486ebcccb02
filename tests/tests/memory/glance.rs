//! `Cache::get_in_memory`: a hit or nothing, at once.

use std::time::Duration;

use cache_runtime::{Cache, Evict, Key, Policy, Refresh, bypass, key, refresh};
use tests::caches::{in_memory, on_manual_clock};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn what_is_fresh_is_there_until_it_is_evicted() {
    let cache = in_memory();
    let (id, policy) = (7, Policy::new().site("glance"));
    let key = key!("item:{id}");
    let glance = || cache.get_in_memory::<u64>(&key, &policy);
    assert_eq!(glance(), None);
    cache.put(&key, 1_u64, &policy).await.unwrap();
    assert_eq!(glance(), Some(1));
    assert_eq!(bypass(async { glance() }).await, None);
    assert_eq!(refresh(async { glance() }).await, None);
    for what in [Evict::key(key.clone()), Evict::region("item"), Evict::all()] {
        cache.put(&key, 2_u64, &policy).await.unwrap();
        assert_eq!(glance(), Some(2));
        cache.evict(what).await.unwrap();
        assert_eq!(glance(), None);
    }
    let counted = &cache.stats().sites["glance"];
    assert_eq!((counted.l1_hits, counted.misses), (4, 0));
}

#[tokio::test]
async fn what_is_of_another_kind_is_not() {
    let cache = in_memory();
    let (key, policy) = (Key::new("a"), Policy::new());
    cache
        .put(&key, 1_u64, &policy.clone().tags(["one"]))
        .await
        .unwrap();
    let glance = |policy: &Policy| cache.get_in_memory::<u64>(&key, policy);
    assert_eq!(glance(&policy), Some(1));
    assert_eq!(glance(&policy.clone().tags(["one"])), Some(1));
    assert_eq!(glance(&policy.clone().tags(["one", "two"])), None);
    assert_eq!(glance(&policy.clone().scope("mine")), None);
    assert_eq!(glance(&policy.clone().version(1)), None);
    assert_eq!(glance(&policy.clone().l1(false)), None);
    cache.evict(Evict::tag("one")).await.unwrap();
    assert_eq!(glance(&policy), None);
    cache
        .put(&key, 2_u64, &policy.clone().scope("mine"))
        .await
        .unwrap();
    assert_eq!(glance(&policy.clone().scope("mine")), Some(2));
    let nothing = Cache::builder("none").no_memory().build().unwrap();
    nothing.put(&key, 1_u64, &policy).await.unwrap();
    assert_eq!(nothing.get_in_memory::<u64>(&key, &policy), None);
}

#[tokio::test]
async fn what_is_past_its_ttl_or_due_is_not() {
    let (cache, clock) = on_manual_clock();
    let (key, policy) = (
        Key::new("a"),
        Policy::new().ttl(10 * SECOND).stale_if_error(10 * SECOND),
    );
    let watching = policy.clone().background_refresh(0.5);
    let load = async |value: u64| {
        let load = move |_| async move { Ok::<_, ()>(cache_runtime::Refresh::Value(value)) };
        cache
            .try_get_or_refresh(&key, &watching, load)
            .await
            .unwrap()
    };
    load(1).await;
    let glance = |policy: &Policy| cache.get_in_memory::<u64>(&key, policy);
    assert_eq!((glance(&policy), glance(&watching)), (Some(1), Some(1)));
    clock.advance(6 * SECOND);
    assert_eq!(
        (glance(&policy), glance(&watching)),
        (Some(1), None),
        "a refresh is due"
    );
    clock.advance(5 * SECOND);
    assert_eq!((glance(&policy), glance(&watching)), (None, None));
}

/// The call that follows draws; a second draw would be the square of the share.
#[tokio::test]
async fn what_is_left_to_chance_is_left_to_who_draws() {
    let cache = in_memory();
    let (key, policy) = (Key::new("a"), Policy::new().consistency_check(0.5));
    let load = |_| async { Ok::<_, ()>(Refresh::Value(1_u64)) };
    let loaded = cache.try_get_or_refresh(&key, &policy, load).await;
    assert_eq!(loaded, Ok(1));
    for _ in 0..64 {
        assert_eq!(cache.get_in_memory::<u64>(&key, &policy), None);
    }
}
