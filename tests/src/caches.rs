//! Caches for tests of the memory tier.

use cache_runtime::testing::{Leftovers, ManualClock, leftovers};
use cache_runtime::{Cache, CacheBuilder, Policy};

/// A cache in memory, without jitter: a test that says nothing about jitter should not meet it.
pub fn in_memory() -> Cache {
    build(builder())
}

/// A cache whose entries age when the test says so.
pub fn on_manual_clock() -> (Cache, ManualClock) {
    let clock = ManualClock::new();
    (build(builder().manual_clock(clock.clone())), clock)
}

/// What [`in_memory`] is built from.
pub fn builder() -> CacheBuilder {
    Cache::builder("memory").defaults(Policy::new().jitter(0.0))
}

/// Builds it.
///
/// # Panics
/// If the settings make no sense.
pub fn build(builder: CacheBuilder) -> Cache {
    builder
        .build()
        .unwrap_or_else(|error| panic!("the cache of a test cannot be built: {error}"))
}

/// Nothing is left of the calls that are over.
///
/// # Panics
/// If something is.
#[track_caller]
pub fn assert_nothing_left(cache: &Cache) {
    assert_eq!(
        leftovers(cache),
        Leftovers::default(),
        "a flight or a queue is left behind"
    );
}
