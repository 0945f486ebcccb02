//! The figures `Cache::stats` gives.

use std::collections::BTreeMap;

/// Counters since the cache was built, per site and in total.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// All sites together.
    pub total: SiteStats,
    /// Each annotated function by its path; the programmatic calls as `get`, `get_or_load`, `put` and `evict`.
    pub sites: BTreeMap<String, SiteStats>,
}

/// Counters of one site.
///
/// Every call that ends is one of `l1_hits`, `l2_hits`, `stale_hits`, `misses` and `bypassed`; every miss of an annotated
/// function is answered by a load of its own or counted as `shared`. A load is counted when it begins, so one that is dropped or panics is
/// a load without a miss; a miss of `Cache::get` is neither loaded nor shared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SiteStats {
    /// Served from memory.
    pub l1_hits: u64,
    /// Served from Redis at the first look.
    pub l2_hits: u64,
    /// Served past the ttl.
    pub stale_hits: u64,
    /// Found in neither tier.
    pub misses: u64,
    /// Runs of the origin on behalf of the cache.
    pub loads: u64,
    /// Runs of the origin that ended in `Err`.
    pub load_errors: u64,
    /// Misses served by another call's load, in this process or another.
    pub shared: u64,
    /// Waits that ended before the load they waited for.
    pub wait_timeouts: u64,
    /// Calls that neither read nor wrote the cache.
    pub bypassed: u64,
    /// Values returned but not stored, because an eviction, a hold or another load came between.
    pub refused_stores: u64,
    /// Values written by `#[cache_put]` and `Cache::put`, stored or not.
    pub puts: u64,
    /// Evictions asked for.
    pub evictions: u64,
    /// Redis commands that failed or found no connection, timeouts included.
    pub redis_errors: u64,
    /// Redis commands that had no answer within their budget.
    pub redis_timeouts: u64,
    /// Stored bytes that were no value: foreign, damaged, of another shape.
    pub decode_errors: u64,
    /// Values returned but not stored, because they are larger than `max_value_bytes`.
    pub oversized: u64,
    /// Values returned but not stored, because they have no JSON form.
    pub unserializable: u64,
}

impl SiteStats {
    /// Share of the calls through the cache that were answered without a load of their own; `None` before the first call.
    #[must_use]
    pub fn hit_ratio(&self) -> Option<f64> {
        let hits = self.l1_hits + self.l2_hits + self.stale_hits;
        let calls = hits + self.misses;
        #[expect(
            clippy::cast_precision_loss,
            reason = "a ratio for people needs no 53 bits"
        )]
        (calls > 0).then(|| (hits + self.shared) as f64 / calls as f64)
    }
}
