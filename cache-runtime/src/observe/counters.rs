//! Counters of one site, cheap enough for a hit.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use once_cell::race::OnceBox;

use super::SiteStats;
use super::histogram::Durations;
use super::stripes::Stripes;

macro_rules! counters {
    ($($(#[$doc:meta])* $variant:ident => $field:ident,)*) => {
        /// What can be counted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Count {
            $($(#[$doc])* $variant,)*
        }

        const KINDS: usize = [$(Count::$variant),*].len();

        impl Counters {
            /// The figures of this moment; each is exact, together they may be a few calls apart.
            pub(crate) fn snapshot(&self) -> SiteStats {
                SiteStats {
                    $($field: self.numbers.get(Count::$variant as usize),)*
                    waiting: self.waiting.load(Ordering::Relaxed),
                    loading: self.loading.load(Ordering::Relaxed),
                    load_times: self.load_times.get().map(Durations::snapshot).unwrap_or_default(),
                }
            }
        }

        impl SiteStats {
            /// Adds another site's figures to these.
            pub(crate) fn add(&mut self, other: &Self) {
                $(self.$field += other.$field;)*
                self.waiting += other.waiting;
                self.loading += other.loading;
                self.load_times.add(&other.load_times);
            }
        }
    };
}

counters! {
    L1Hit => l1_hits,
    L2Hit => l2_hits,
    StaleHit => stale_hits,
    Miss => misses,
    Load => loads,
    LoadError => load_errors,
    Shared => shared,
    WaitTimeout => wait_timeouts,
    Bypassed => bypassed,
    RefusedStore => refused_stores,
    Put => puts,
    Eviction => evictions,
    EvictedKey => evicted_keys,
    EvictedPattern => evicted_patterns,
    EvictedRegion => evicted_regions,
    EvictedTag => evicted_tags,
    EvictedScope => evicted_scopes,
    EvictedAll => evicted_all,
    RedisError => redis_errors,
    RedisTimeout => redis_timeouts,
    RedisUnavailable => redis_unavailable,
    RedisRefused => redis_refused,
    RedisBusy => redis_busy,
    RedisProtocol => redis_protocol,
    DecodeError => decode_errors,
    Oversized => oversized,
    Unserializable => unserializable,
    Refresh => refreshes,
    RefreshError => refresh_errors,
    RefreshSkipped => refreshes_skipped,
    NotModified => not_modified,
    Timeout => timeouts,
    Check => consistency_checks,
    Difference => consistency_differences,
    EventDropped => events_dropped,
}

/// The counters of a site in a cache.
#[derive(Debug)]
pub(crate) struct Counters {
    numbers: Stripes<KINDS>,
    /// What it is the site of.
    name: Box<str>,
    waiting: AtomicU64,
    loading: AtomicU64,
    load_times: OnceBox<Durations>,
    terms: Mutex<Terms>,
}

/// What a site asks for, as its last load had it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Of the last value, without jitter.
    pub(crate) ttl: Option<Duration>,
    pub(crate) negative_ttl: Option<Duration>,
    pub(crate) wait_timeout: Option<Duration>,
    /// One load in the whole fleet.
    pub(crate) fleet: bool,
    /// Calls have bypassed the cache for want of a `key_secret`.
    pub(crate) lacks_secret: bool,
    /// Its keys have no `:` in front of their first value: they may lie in any region.
    pub(crate) lies_anywhere: bool,
}

impl Counters {
    pub(crate) fn of(name: &str) -> Self {
        Self {
            name: name.into(),
            numbers: Stripes::default(),
            waiting: AtomicU64::new(0),
            loading: AtomicU64::new(0),
            load_times: OnceBox::new(),
            terms: Mutex::default(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    #[inline]
    pub(crate) fn add(&self, what: Count) {
        self.numbers.add(what as usize, 1);
    }

    /// A load took so long, however it ended.
    pub(crate) fn loaded_in(&self, took: Duration) {
        let times = self.load_times.get_or_init(Box::default);
        times.record(took);
    }

    pub(crate) fn terms(&self) -> Terms {
        *self.terms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what the site asks for; of loads, not of hits.
    pub(crate) fn set_terms(&self, set: impl FnOnce(&mut Terms)) {
        set(&mut self.terms.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A load runs until this is dropped.
    pub(crate) fn loading(&self) -> Present<'_> {
        Present::enter(&self.loading)
    }

    /// A call waits for another's load until this is dropped.
    pub(crate) fn waiting(&self) -> Present<'_> {
        Present::enter(&self.waiting)
    }
}

/// One more, as long as this lives.
#[derive(Debug)]
pub(crate) struct Present<'c>(&'c AtomicU64);

impl<'c> Present<'c> {
    fn enter(number: &'c AtomicU64) -> Self {
        number.fetch_add(1, Ordering::Relaxed);
        Self(number)
    }
}

impl Drop for Present<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_counted_by_itself() {
        let counters = Counters::of("site");
        counters.add(Count::L1Hit);
        counters.add(Count::EventDropped);
        counters.loaded_in(Duration::from_millis(5));
        let (first, second) = (counters.waiting(), counters.waiting());
        drop(first);
        let stats = counters.snapshot();
        assert_eq!(
            (stats.l1_hits, stats.events_dropped, stats.l2_hits),
            (1, 1, 0)
        );
        assert_eq!(
            (stats.waiting, stats.loading, stats.load_times.count()),
            (1, 0, 1)
        );
        drop(second);
        let mut sum = counters.snapshot();
        sum.add(&stats);
        assert_eq!(
            (sum.l1_hits, sum.waiting, sum.load_times.count()),
            (2, 1, 2)
        );
    }
}
