//! Counters of one site, cheap enough for a hit.

use std::cell::{Cell, OnceCell};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use once_cell::race::OnceBox;

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

/// So many threads count for themselves.
const ALONE: usize = 64;
const UNKNOWN: usize = usize::MAX;

/// The counters of a site in a cache.
///
/// **Problem.** A number that all threads add to makes the threads of a hot function wait for each other, and even alone an atomic addition is a
/// sixth of a hit.
///
/// **Decision.** Each of the first threads of a process has numbers of its own, which nobody else writes as long as it lives; the others share one set.
#[derive(Debug)]
pub(crate) struct Counters {
    alone: [OnceBox<Stripe>; ALONE],
    shared: Stripe,
}

/// Processors fetch cache lines in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Stripe([AtomicU64; KINDS]);

thread_local! {
    /// The place of this thread among those that count; beyond the last it shares.
    static PLACE: Cell<usize> = const { Cell::new(UNKNOWN) };
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            alone: [const { OnceBox::new() }; ALONE],
            shared: Stripe::default(),
        }
    }
}

impl Counters {
    #[inline]
    pub(crate) fn add(&self, what: Count) {
        match self.alone.get(place()).and_then(OnceBox::get) {
            Some(own) => {
                let count = &own.0[what as usize];
                // Nobody else writes it.
                count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            }
            None => self.add_first(what),
        }
    }

    /// For the first time of a thread, or one that shares.
    #[cold]
    fn add_first(&self, what: Count) {
        let stripe = match self.alone.get(place()) {
            Some(own) => own.get_or_init(Box::default),
            None => &self.shared,
        };
        stripe.0[what as usize].fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self, what: Count) -> u64 {
        let counted = |stripe: &Stripe| stripe.0[what as usize].load(Ordering::Relaxed);
        let alone = self.alone.iter().filter_map(OnceBox::get);
        alone.chain([&self.shared]).map(counted).sum()
    }
}

#[inline]
fn place() -> usize {
    match PLACE.get() {
        UNKNOWN => take_place(),
        place => place,
    }
}

/// A thread that ends gives its place to another: what it has counted happened before.
struct Returned(usize);

impl Drop for Returned {
    fn drop(&mut self) {
        // What this thread counts from now on it counts with the others.
        PLACE.set(ALONE);
        places().free.push(self.0);
    }
}

#[derive(Default)]
struct Places {
    free: Vec<usize>,
    taken: usize,
}

fn places() -> MutexGuard<'static, Places> {
    static PLACES: Mutex<Places> = Mutex::new(Places {
        free: Vec::new(),
        taken: 0,
    });
    PLACES.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cold]
fn take_place() -> usize {
    thread_local! {
        static RETURNED: OnceCell<Returned> = const { OnceCell::new() };
    }
    let mut places = places();
    let place = match places.free.pop() {
        Some(place) => place,
        None if places.taken < ALONE => {
            places.taken += 1;
            places.taken - 1
        }
        None => ALONE,
    };
    drop(places);
    // A thread whose locals are gone already has no place to give back, and takes none.
    let kept = place < ALONE && RETURNED.try_with(|it| it.set(Returned(place))).is_ok();
    let place = if kept { place } else { ALONE };
    PLACE.set(place);
    place
}

#[cfg(test)]
mod tests {
    use super::{ALONE, Count, Counters, OnceBox, Ordering};

    #[test]
    fn what_threads_count_is_added_up() {
        let counters = Counters::default();
        std::thread::scope(|scope| {
            for _ in 0..2 * ALONE {
                scope.spawn(|| (0..1_000).for_each(|_| counters.add(Count::L1Hit)));
            }
        });
        assert_eq!(counters.snapshot().l1_hits, 2_000 * ALONE as u64);
        assert_eq!(counters.snapshot().l2_hits, 0);
    }

    #[test]
    fn threads_that_end_leave_their_places_to_others() {
        let counters = Counters::default();
        for _ in 0..4 * ALONE {
            std::thread::scope(|scope| {
                scope.spawn(|| counters.add(Count::Load));
            });
        }
        assert_eq!(counters.snapshot().loads, 4 * ALONE as u64);
        let alone = counters.alone.iter().filter_map(OnceBox::get);
        let counted = alone.map(|stripe| stripe.0[Count::Load as usize].load(Ordering::Relaxed));
        // Other tests have threads too, so a few may have found no place.
        assert!(counted.sum::<u64>() > 2 * ALONE as u64);
    }
}
