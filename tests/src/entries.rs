//! Filling a cache by hand, and seeing what a call leaves of it.

use std::collections::BTreeSet;
use std::future::Future;

use cache_runtime::{Cache, Key, Policy};

use crate::caches::in_memory;

/// Stores something under each of these keys.
///
/// # Panics
/// If the cache refuses one.
pub async fn fill(cache: &Cache, keys: &[&str]) {
    for key in keys {
        assert!(
            cache
                .put(&Key::new(key), 1_u64, &Policy::new())
                .await
                .is_ok()
        );
    }
}

/// Which of the keys are still there.
pub async fn left<'a>(cache: &Cache, keys: &[&'a str]) -> BTreeSet<&'a str> {
    let mut left = BTreeSet::new();
    for key in keys {
        if cache.get::<u64>(&Key::new(key)).await.is_some() {
            left.insert(*key);
        }
    }
    left
}

/// What `call` leaves of `keys`.
pub async fn leaves<'a, T>(keys: &[&'a str], call: impl Future<Output = T>) -> Vec<&'a str> {
    let cache = in_memory();
    fill(&cache, keys).await;
    cache.as_current(call).await;
    left(&cache, keys).await.into_iter().collect()
}
