//! The figures `Cache::stats` gives.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::Histogram;

/// Counters since the cache was built, per site and in total, and what is there now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// When the cache was built, by the clock on the wall.
    pub started: SystemTime,
    /// How long ago that is, by a clock that nobody sets.
    pub uptime: Duration,
    /// What is in memory now.
    pub memory: MemoryStats,
    /// How Redis is, and how fast.
    pub redis: RedisStats,
    /// All sites together.
    pub total: SiteStats,
    /// Each annotated function by its path; the programmatic calls as `get`, `get_or_load`, `get_or_refresh`, `put`, `evict` and `expire`, or by the name that
    /// [`Policy::site`](crate::Policy::site) gives them; what [`RedisHandle`](crate::RedisHandle) meets as `redis`.
    pub sites: BTreeMap<String, SiteStats>,
}

impl Default for Stats {
    fn default() -> Self {
        Self {
            started: SystemTime::UNIX_EPOCH,
            uptime: Duration::ZERO,
            memory: MemoryStats::default(),
            redis: RedisStats::default(),
            total: SiteStats::default(),
            sites: BTreeMap::new(),
        }
    }
}

/// What the memory tier has now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryStats {
    /// Entries, those included that are past their end and still there.
    pub entries: u64,
    /// The bytes of their keys and of their values' encoded form. Where [`Memory::max_bytes`](crate::Memory::max_bytes) bounds the tier it is what counts there; else it is
    /// estimated from some of the entries.
    pub bytes: u64,
}

/// Redis, or what stands in its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedisStats {
    /// Whether it is connected; `None` where the cache has memory only.
    pub connected: Option<bool>,
    /// Evictions that it has not confirmed.
    pub queued_evictions: u64,
    /// From a command (or several sent at once) to its answer, of those that were answered; what was not in time is counted as
    /// `redis_timeouts`. What the connection sends for itself is left out.
    pub round_trips: Histogram,
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
    /// Of what was selected in them, the keys.
    pub evicted_keys: u64,
    /// The patterns that are no regions.
    pub evicted_patterns: u64,
    /// The regions.
    pub evicted_regions: u64,
    /// The tags.
    pub evicted_tags: u64,
    /// The scopes.
    pub evicted_scopes: u64,
    /// The times it was everything.
    pub evicted_all: u64,
    /// Redis commands that failed or found no connection, timeouts included.
    pub redis_errors: u64,
    /// Redis commands that had no answer within their budget.
    pub redis_timeouts: u64,
    /// Redis commands that found no connection, or lost it.
    pub redis_unavailable: u64,
    /// Redis commands that the server answered with an error.
    pub redis_refused: u64,
    /// Redis commands that were not sent because `max_in_flight` were on their way.
    pub redis_busy: u64,
    /// Redis commands whose answer was none to the question.
    pub redis_protocol: u64,
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
    /// Calls that wait for another call's load now, in this process.
    pub waiting: u64,
    /// Loads that run now.
    pub loading: u64,
    /// How long loads took, those that failed included.
    pub load_times: Histogram,
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
