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
    /// Refreshes begun in the background.
    pub refreshes: u64,
    /// Refreshes whose load ended in `Err`; counted among `load_errors` too.
    pub refresh_errors: u64,
    /// Refreshes that did not begin because too many ran.
    pub refreshes_skipped: u64,
    /// Loads that said that the value they had in hand is still the one: [`Known::not_modified`](crate::Known::not_modified).
    pub not_modified: u64,
    /// Calls that ended with `hard_timeout`, in a stale value or in an error.
    pub timeouts: u64,
    /// Hits that were compared with the origin.
    pub consistency_checks: u64,
    /// Of them, those whose value was no longer the origin's and would have been served on.
    pub consistency_differences: u64,
    /// Calls that hooks were not told of because too many waited to be told.
    pub events_dropped: u64,
}

impl SiteStats {
    /// Share of the compared hits that agreed with the origin; `None` before the first comparison.
    #[must_use]
    pub fn consistency(&self) -> Option<f64> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a ratio for people needs no 53 bits"
        )]
        (self.consistency_checks > 0)
            .then(|| 1.0 - self.consistency_differences as f64 / self.consistency_checks as f64)
    }

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
