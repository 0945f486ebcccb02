//! Shared tiers of one's own, written against the public API alone.
//!
//! One that is right passes the conformance suite and carries a cache; of many that are wrong, each in one way, the suite
//! notices each.

mod broken;
mod cache;
mod faults;
mod listeners;
mod slow;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cache_runtime::{testing::ModelRedis, tier::Tier};

/// A fresh store in memory: one model for each cache's name.
fn store() -> impl Fn(&str) -> Arc<dyn Tier> + Send + Sync + 'static {
    let models: Mutex<HashMap<String, ModelRedis>> = Mutex::default();
    move |cache: &str| locked(&models).entry(cache.to_owned()).or_default().tier()
}

/// A check that fails may hold a lock.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

mod conformance {
    use std::sync::Arc;

    use cache_runtime::tier::Tier;

    use crate::slow::Slow;

    cache_runtime::tier_conformance!({
        let inner = crate::store();
        move |cache: &str| -> Arc<dyn Tier> { Arc::new(Slow::over(inner(cache))) }
    });
}
