//! One label: how often it was evicted as far as this process has heard, and its generation, if that is known.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::{
    Generation, Label, Manner,
    known::{Known, Slot},
};

/// How long a generation is believed, in milliseconds: a label in use is read again, and its life prolonged, long before it is lost.
pub(super) const BELIEVED: u64 = 3_600_000;

/// One label.
#[derive(Debug)]
pub(crate) struct Cell {
    label: Label,
    evictions: AtomicU64,
    held_until: AtomicU64,
    known: Slot,
}

/// A count as it was before a read was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Before(u64);

impl Cell {
    pub(super) fn new(label: Label) -> Self {
        Self {
            label,
            evictions: AtomicU64::new(0),
            held_until: AtomicU64::new(0),
            known: Slot::default(),
        }
    }

    pub(crate) fn label(&self) -> &Label {
        &self.label
    }

    /// How often it was evicted, as far as this process has heard.
    #[inline]
    pub(super) fn evictions(&self) -> u64 {
        self.evictions.load(Ordering::SeqCst)
    }

    /// Whether it was at most expired since the count was this.
    pub(super) fn stands_since(&self, count: u64) -> bool {
        stands_since(&self.evictions, count)
    }

    /// The count now; to be taken before a read is sent.
    pub(crate) fn before(&self) -> Before {
        Before(self.evictions())
    }

    /// Takes in what a read brought.
    pub(crate) fn learn(
        &self,
        before: Before,
        generation: Generation,
        epoch: u64,
        now: u64,
        life: Duration,
    ) {
        let known = Known {
            generation,
            epoch,
            at: now,
            life,
        };
        // Asked while the slot is closed, and that is when an eviction moves the count: it came before, and is seen here, or it forgets this.
        self.known.put(known, || self.before() == before);
    }

    /// The generation, if it is known in this epoch and entries of this life may rely on it.
    pub(crate) fn known(&self, epoch: u64, now: u64, life: Duration) -> Option<Generation> {
        let known = self.known.get()?;
        let fits = known.epoch == epoch && known.life >= life;
        (fits && now.saturating_sub(known.at) < BELIEVED).then_some(known.generation)
    }

    /// What is known did not agree with an entry: one of the two is old.
    pub(crate) fn forget(&self) {
        self.known.clear();
    }

    /// Whether stores under it are refused at `now`, as far as this process has heard.
    pub(crate) fn is_held(&self, now: u64) -> bool {
        now < self.held_until()
    }

    pub(super) fn held_until(&self) -> u64 {
        self.held_until.load(Ordering::SeqCst)
    }

    pub(super) fn hold(&self, until: u64) {
        self.held_until.fetch_max(until, Ordering::SeqCst);
    }

    pub(super) fn gone(&self, manner: Manner) {
        // While the slot is closed: who sees the count moved does not find what was known before.
        self.known.clear_around(|| count(&self.evictions, manner));
    }
}

/// One step of the upper part of a count, which counts what was no mere `expire`. Both are one number: who sees that it has moved sees why.
const EVICTION: u64 = 1 << 24;

/// Counts an eviction, or that what carries the label is past its ttl. Too many of the latter count as an eviction.
pub(super) fn count(evictions: &AtomicU64, manner: Manner) {
    let step = match manner {
        Manner::Evict => EVICTION,
        Manner::Expire => 1,
    };
    evictions.fetch_add(step, Ordering::SeqCst);
}

/// Whether there was at most an `expire` since the count was this.
pub(super) fn stands_since(evictions: &AtomicU64, count: u64) -> bool {
    evictions.load(Ordering::SeqCst) / EVICTION == count / EVICTION
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicBool, AtomicU64, Ordering},
        thread,
        time::Duration,
    };

    use super::{Cell, EVICTION, Generation, Label, Manner, count, stands_since};
    use crate::tags::Logical;

    #[test]
    fn what_was_expired_stands_and_what_was_evicted_before_or_after_it_does_not() {
        use Manner::{Evict, Expire};
        for (manners, stands) in [
            (&[][..], true),
            (&[Expire], true),
            (&[Expire, Expire], true),
            (&[Evict], false),
            (&[Evict, Expire], false),
            (&[Expire, Evict], false),
        ] {
            let counter = AtomicU64::new(3 * EVICTION + 7);
            let before = counter.load(Ordering::SeqCst);
            manners.iter().for_each(|manner| count(&counter, *manner));
            assert_eq!(stands_since(&counter, before), stands, "{manners:?}");
            let moved = counter.load(Ordering::SeqCst) != before;
            assert_eq!(moved, !manners.is_empty());
        }
    }

    #[test]
    fn so_many_expired_as_cannot_be_counted_are_an_eviction() {
        let counter = AtomicU64::new(EVICTION - 1);
        count(&counter, Manner::Expire);
        assert!(!stands_since(&counter, EVICTION - 1));
    }

    #[test]
    fn who_sees_that_the_count_has_moved_does_not_find_what_was_known_before() {
        let (cell, over) = (Cell::new(Label::stored("a")), AtomicBool::new(false));
        thread::scope(|scope| {
            let readers = [(); 2].map(|()| {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        let count = cell.evictions();
                        if let Some(known) = cell.known(0, 0, Duration::ZERO) {
                            assert!(known.evict >= count, "known since before the eviction");
                        }
                    }
                })
            });
            for _ in 0..200_000 {
                let before = cell.before();
                let generation = Generation {
                    evict: before.0,
                    expire: 0,
                    made: Logical { era: 0, n: 0 },
                };
                cell.learn(before, generation, 0, 0, Duration::MAX);
                cell.gone(Manner::Evict);
            }
            over.store(true, Ordering::Relaxed);
            for reader in readers {
                reader
                    .join()
                    .expect("no reader found what was known before");
            }
        });
    }
}
