//! Numbers that all threads add to, without waiting for each other.
//!
//! **Problem.** A number that all threads add to makes the threads of a hot function wait for each other, and even alone an atomic addition is a
//! sixth of a hit.
//!
//! **Decision.** Each of the first threads of a process has numbers of its own, which nobody else writes as long as it lives; the others share one set.

use std::cell::{Cell, OnceCell};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use once_cell::race::OnceBox;

/// So many threads count for themselves.
const ALONE: usize = 64;
const UNKNOWN: usize = usize::MAX;

/// So many numbers; see the module.
#[derive(Debug)]
pub(super) struct Stripes<const N: usize> {
    alone: [OnceBox<Stripe<N>>; ALONE],
    shared: Stripe<N>,
}

/// Processors fetch cache lines in pairs.
#[derive(Debug)]
#[repr(align(128))]
struct Stripe<const N: usize>([AtomicU64; N]);

impl<const N: usize> Default for Stripe<N> {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; N])
    }
}

thread_local! {
    /// The place of this thread among those that count; beyond the last it shares.
    static PLACE: Cell<usize> = const { Cell::new(UNKNOWN) };
}

impl<const N: usize> Default for Stripes<N> {
    fn default() -> Self {
        Self {
            alone: [const { OnceBox::new() }; ALONE],
            shared: Stripe::default(),
        }
    }
}

impl<const N: usize> Stripes<N> {
    #[inline]
    pub(super) fn add(&self, at: usize, more: u64) {
        match self.alone.get(place()).and_then(OnceBox::get) {
            Some(own) => {
                let number = &own.0[at];
                // Nobody else writes it.
                number.store(
                    number.load(Ordering::Relaxed).wrapping_add(more),
                    Ordering::Relaxed,
                );
            }
            None => self.add_first(at, more),
        }
    }

    /// For the first time of a thread, or one that shares.
    #[cold]
    fn add_first(&self, at: usize, more: u64) {
        let stripe = match self.alone.get(place()) {
            Some(own) => own.get_or_init(Box::default),
            None => &self.shared,
        };
        stripe.0[at].fetch_add(more, Ordering::Relaxed);
    }

    pub(super) fn get(&self, at: usize) -> u64 {
        let stripes = self.alone.iter().filter_map(OnceBox::get);
        let numbers = stripes.chain([&self.shared]).map(|stripe| &stripe.0[at]);
        numbers
            .map(|number| number.load(Ordering::Relaxed))
            .fold(0, u64::wrapping_add)
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
    use super::{ALONE, OnceBox, Ordering, Stripes};

    #[test]
    fn what_threads_add_is_added_up() {
        let stripes = Stripes::<2>::default();
        std::thread::scope(|scope| {
            for _ in 0..2 * ALONE {
                scope.spawn(|| (0..1_000).for_each(|_| stripes.add(0, 2)));
            }
        });
        assert_eq!((stripes.get(0), stripes.get(1)), (4_000 * ALONE as u64, 0));
    }

    #[test]
    fn threads_that_end_leave_their_places_to_others() {
        let stripes = Stripes::<1>::default();
        for _ in 0..4 * ALONE {
            std::thread::scope(|scope| {
                scope.spawn(|| stripes.add(0, 1));
            });
        }
        assert_eq!(stripes.get(0), 4 * ALONE as u64);
        let alone = stripes.alone.iter().filter_map(OnceBox::get);
        let added = alone.map(|stripe| stripe.0[0].load(Ordering::Relaxed));
        // Other tests have threads too, so a few may have found no place.
        assert!(added.sum::<u64>() > 2 * ALONE as u64);
    }
}
