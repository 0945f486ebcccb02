//! How long a value is fresh: ttl, jitter, per value, per version; on a clock that the tests move.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{Cache, ErrorKind, Key, Policy, Served, cacheable, key, refresh, traced};
use tests::caches::{build, builder, in_memory, on_manual_clock};
use tests::origin::Origin;

const SECOND: Duration = Duration::from_secs(1);

#[cacheable(60, key = "positional")]
async fn positional(origin: &Origin) -> u64 {
    origin.run().await
}

#[cacheable(key = "text", ttl = "1h30m")]
async fn text(origin: &Origin) -> u64 {
    origin.run().await
}

#[cacheable(key = "expression", ttl = Duration::from_secs(names.len() as u64))]
async fn expression(origin: &Origin, names: Vec<String>) -> u64 {
    drop(names);
    origin.run().await
}

#[cacheable(key = "default")]
async fn by_default(origin: &Origin) -> u64 {
    origin.run().await
}

/// The value says how many seconds it is fresh.
#[cacheable(key = "per value", ttl = "1h", ttl_from = |value| Duration::from_secs(*value))]
async fn per_value(seconds: u64) -> u64 {
    seconds
}

fn life(value: &u64) -> Duration {
    Duration::from_secs(*value)
}

#[cacheable(key = "per value", ttl_from = life)]
async fn per_value_by_path(seconds: u64) -> Result<u64, ()> {
    Ok(seconds)
}

#[cacheable(key = "versioned", ttl = "1h", version = 1)]
async fn first_version(origin: &Origin) -> u64 {
    origin.run().await
}

#[cacheable(key = "versioned", ttl = "1h", version = 2)]
async fn second_version(origin: &Origin) -> u64 {
    origin.run().await
}

/// Calls twice and tells whether the second was a hit.
async fn is_hit<T>(cache: &Cache, call: impl Future<Output = T>) -> bool {
    cache.as_current(traced(call)).await.1 == Some(Served::Memory)
}

#[tokio::test]
async fn a_value_is_fresh_until_its_ttl_and_not_a_moment_longer() {
    let (cache, clock) = on_manual_clock();
    let origin = Origin::open();
    for (life, run) in [(60, 1), (60, 2)] {
        assert_eq!(cache.as_current(positional(&origin)).await, run);
        clock.advance(life * SECOND - Duration::from_millis(1));
        assert!(is_hit(&cache, positional(&origin)).await);
        clock.advance(Duration::from_millis(1));
    }
    assert!(!is_hit(&cache, positional(&origin)).await);
    assert_eq!(origin.runs(), 3);
}

#[tokio::test]
async fn a_hit_does_not_prolong_a_life() {
    let (cache, clock) = on_manual_clock();
    let origin = Origin::open();
    cache.as_current(positional(&origin)).await;
    for _ in 0..59 {
        clock.advance(SECOND);
        assert!(is_hit(&cache, positional(&origin)).await);
    }
    clock.advance(SECOND);
    assert!(!is_hit(&cache, positional(&origin)).await);
}

#[tokio::test]
async fn a_ttl_may_be_text_or_an_expression_over_the_arguments() {
    let (cache, _clock) = on_manual_clock();
    let origin = Origin::open();
    let names = vec![String::new(); 17];
    cache.as_current(text(&origin)).await;
    cache.as_current(expression(&origin, names)).await;
    assert_eq!(remaining(&cache, "text").await, Some(5_400 * SECOND));
    assert_eq!(remaining(&cache, "expression").await, Some(17 * SECOND));
}

#[tokio::test]
async fn the_caches_default_ttl_is_ten_minutes_or_what_the_builder_says() {
    let (cache, _clock) = on_manual_clock();
    let origin = Origin::open();
    cache.as_current(by_default(&origin)).await;
    assert!(
        remaining(&cache, "default")
            .await
            .is_some_and(|left| left <= 600 * SECOND && left > 599 * SECOND)
    );
    let other = build(builder().defaults(Policy::new().ttl(5 * SECOND).jitter(0.0)));
    other.as_current(by_default(&origin)).await;
    assert!(
        remaining(&other, "default")
            .await
            .is_some_and(|left| left <= 5 * SECOND && left > 4 * SECOND)
    );
}

async fn remaining(cache: &Cache, key: &str) -> Option<Duration> {
    Some(cache.inspect(&Key::new(key)).await?.memory?.remaining)
}

#[tokio::test]
async fn jitter_takes_at_most_its_share_off_and_spreads_what_expires_together() {
    let (cache, _clock) = on_manual_clock();
    let policy = Policy::new().ttl(1_000 * SECOND).jitter(0.25);
    let mut lives = Vec::new();
    fastrand::seed(7);
    for id in 0..200 {
        cache.put(&key!("jitter:{id}"), id, &policy).await.unwrap();
        lives.extend(remaining(&cache, &format!("jitter:{id}")).await);
    }
    assert_eq!(lives.len(), 200);
    assert!(
        lives
            .iter()
            .all(|life| *life > 749 * SECOND && *life <= 1_000 * SECOND)
    );
    let early = lives.iter().filter(|life| **life < 833 * SECOND).count();
    let late = lives.iter().filter(|life| **life > 916 * SECOND).count();
    // A third each, if they are spread evenly.
    assert!(
        (40..95).contains(&early) && (40..95).contains(&late),
        "{early} {late}"
    );
}

#[tokio::test]
async fn without_jitter_lives_are_exact() {
    let (cache, _clock) = on_manual_clock();
    for id in 0..50 {
        cache
            .put(
                &key!("exact:{id}"),
                id,
                &Policy::new().ttl(7 * SECOND).jitter(0.0),
            )
            .await
            .unwrap();
        assert_eq!(
            remaining(&cache, &format!("exact:{id}")).await,
            Some(7 * SECOND)
        );
    }
}

#[tokio::test]
async fn the_longest_ttl_with_the_most_jitter_is_stored() {
    let (cache, clock) = on_manual_clock();
    let policy = Policy::new().ttl(Duration::MAX).jitter(1.0);
    fastrand::seed(7);
    for id in 0..50 {
        cache.put(&key!("forever:{id}"), id, &policy).await.unwrap();
    }
    clock.advance(Duration::from_millis(1));
    let mut alive = 0;
    for id in 0..50 {
        alive += usize::from(cache.get::<i32>(&key!("forever:{id}")).await == Some(id));
    }
    assert!(alive >= 49, "{alive}");
    cache
        .put(
            &Key::new("forever"),
            1,
            &Policy::new().ttl(Duration::MAX).jitter(0.0),
        )
        .await
        .unwrap();
    clock.advance(Duration::from_secs(50 * 365 * 24 * 3600));
    assert_eq!(cache.get::<i32>(&Key::new("forever")).await, Some(1));
}

#[tokio::test]
async fn a_ttl_of_zero_stores_nothing_and_removes_what_is_stored() {
    let cache = in_memory();
    let key = Key::new("zero");
    let zero = Policy::new().ttl(Duration::ZERO);
    let error = cache.put(&key, 1, &zero).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unstorable);
    assert_eq!(cache.get::<i32>(&key).await, None);
    cache.put(&key, 2, &Policy::new()).await.unwrap();
    assert_eq!(cache.get::<i32>(&key).await, Some(2));
    cache.put(&key, 3, &zero).await.unwrap_err();
    assert_eq!(cache.get::<i32>(&key).await, None);
    assert_eq!(cache.get_or_load(&key, &zero, || async { 4 }).await, 4);
    assert_eq!(cache.inspect(&key).await, None);
}

#[tokio::test]
async fn a_value_says_how_long_it_is_fresh() {
    let (cache, clock) = on_manual_clock();
    cache.as_current(per_value(5)).await;
    assert_eq!(remaining(&cache, "per value").await, Some(5 * SECOND));
    clock.advance(5 * SECOND);
    assert_eq!(
        cache.as_current(traced(per_value_by_path(9))).await,
        (Ok(9), Some(Served::Loaded))
    );
    assert_eq!(remaining(&cache, "per value").await, Some(9 * SECOND));
}

#[tokio::test]
async fn a_value_that_says_zero_is_not_stored_and_its_predecessor_goes() {
    let cache = in_memory();
    assert_eq!(cache.as_current(per_value(0)).await, 0);
    assert_eq!(remaining(&cache, "per value").await, None);
    cache.as_current(per_value(5)).await;
    assert_eq!(cache.as_current(refresh(per_value(0))).await, 0);
    assert_eq!(
        cache.as_current(traced(per_value(6))).await,
        (6, Some(Served::Loaded))
    );
}

#[tokio::test]
async fn another_version_reads_as_a_miss() {
    let cache = in_memory();
    let origin = Arc::new(Origin::open());
    assert_eq!(cache.as_current(first_version(&origin)).await, 1);
    assert!(is_hit(&cache, first_version(&origin)).await);
    assert_eq!(
        cache
            .inspect(&Key::new("versioned"))
            .await
            .unwrap()
            .memory
            .unwrap()
            .version,
        1
    );
    assert_eq!(
        cache.as_current(traced(second_version(&origin))).await,
        (2, Some(Served::Loaded))
    );
    assert_eq!(
        cache
            .inspect(&Key::new("versioned"))
            .await
            .unwrap()
            .memory
            .unwrap()
            .version,
        2
    );
    assert_eq!(
        cache.as_current(traced(first_version(&origin))).await,
        (3, Some(Served::Loaded))
    );
}

#[tokio::test]
async fn an_eviction_reaches_every_version() {
    let cache = in_memory();
    let origin = Origin::open();
    for version in [1, 2] {
        let value = match version {
            1 => cache.as_current(first_version(&origin)).await,
            _ => cache.as_current(second_version(&origin)).await,
        };
        assert_eq!(
            cache.get::<u64>(&Key::new("versioned")).await,
            Some(value),
            "`get` reads every version"
        );
        cache.evict(Key::new("versioned")).await.unwrap();
        assert_eq!(cache.inspect(&Key::new("versioned")).await, None);
    }
}
