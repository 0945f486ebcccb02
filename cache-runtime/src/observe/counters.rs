//! Counters of one site, cheap enough for a hit.

use std::sync::atomic::{AtomicU64, Ordering};

use super::SiteStats;

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
                SiteStats { $($field: self.get(Count::$variant),)* }
            }
        }

        impl SiteStats {
            /// Adds another site's figures to these.
            pub(crate) fn add(&mut self, other: &Self) {
                $(self.$field += other.$field;)*
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
    RedisError => redis_errors,
    RedisTimeout => redis_timeouts,
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
#[derive(Debug, Default)]
pub(crate) struct Counters([AtomicU64; KINDS]);

impl Counters {
    pub(crate) fn add(&self, what: Count) {
        self.0[what as usize].fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self, what: Count) -> u64 {
        self.0[what as usize].load(Ordering::Relaxed)
    }
}
