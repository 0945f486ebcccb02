//! The life of an entry: as it is decided, and as memory keeps it.

use std::sync::atomic::{AtomicI64, Ordering};

/// The life of an entry, decided: milliseconds of the memory clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Term {
    pub(crate) born: u64,
    /// Until then it is served by itself; zero when it was expired.
    pub(crate) fresh_until: u64,
    /// Until then a policy may allow to serve it.
    pub(crate) stale_until: u64,
    /// When its ttl ends, whatever memory keeps.
    pub(crate) ttl_until: u64,
    /// How long its load took, microseconds.
    pub(crate) took: u32,
}

impl Term {
    /// Of an entry whose ttl ends at `ttl_until` and whose window at `window_until`, kept no longer than `kept_until`.
    pub(crate) fn new(
        born: u64,
        (ttl_until, window_until): (u64, u64),
        kept_until: u64,
        took: u32,
    ) -> Self {
        Self {
            born,
            fresh_until: ttl_until.min(kept_until),
            stale_until: window_until.max(ttl_until).min(kept_until),
            ttl_until,
            took,
        }
    }

    /// The same, past its ttl from the beginning.
    pub(crate) fn expired(self) -> Self {
        Self {
            fresh_until: 0,
            ..self
        }
    }
}

/// The life of an entry as memory keeps it, with its size, 24 bytes, of which a hit reads the last 8.
///
/// Memory keeps an entry either beyond its ttl, by a window, or not as long as its ttl, so one difference tells both. Above 2^31 milliseconds
/// (24 days) it is kept as that.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Life {
    /// Length of the encoded form, bytes; what is longer than 4 GiB counts as that.
    pub(super) size: u32,
    /// From the end of its fresh life: to the end of its window, or, negative, to that of its ttl.
    after: i32,
    born: u64,
    /// Negative when it was expired.
    fresh_until: AtomicI64,
}

impl Life {
    pub(super) fn of(term: &Term, size: usize) -> Self {
        let fresh = if term.fresh_until == 0 {
            -signed(term.ttl_until.min(term.stale_until))
        } else {
            signed(term.fresh_until)
        };
        let end = fresh.unsigned_abs();
        let after = |later: u64| i32::try_from(later.saturating_sub(end)).unwrap_or(i32::MAX);
        Self {
            fresh_until: AtomicI64::new(fresh),
            born: term.born,
            size: u32::try_from(size).unwrap_or(u32::MAX),
            after: match after(term.ttl_until) {
                0 => after(term.stale_until),
                cut_short => -cut_short,
            },
        }
    }

    #[inline]
    pub(super) fn is_fresh(&self, now: u64) -> bool {
        signed(now) < self.fresh_until.load(Ordering::Relaxed)
    }

    /// It counts as past its ttl.
    pub(super) fn expire(&self) {
        let end = self.fresh_until.load(Ordering::SeqCst).saturating_abs();
        self.fresh_until.store(-end, Ordering::SeqCst);
    }

    /// What was decided; how long the load took is not kept.
    pub(super) fn term(&self) -> Term {
        let fresh = self.fresh_until.load(Ordering::SeqCst);
        let end = fresh.unsigned_abs();
        let later = end.saturating_add(self.after.unsigned_abs().into());
        let (stale_until, ttl_until) = if self.after < 0 {
            (end, later)
        } else {
            (later, end)
        };
        Term {
            born: self.born,
            fresh_until: u64::try_from(fresh).unwrap_or(0),
            stale_until,
            ttl_until,
            took: 0,
        }
    }
}

#[inline]
fn signed(moment: u64) -> i64 {
    i64::try_from(moment).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Life, Term};

    fn kept(term: &Term) -> Term {
        Life::of(term, 0).term()
    }

    #[test]
    fn what_is_decided_is_kept() {
        let day = 86_400_000;
        for (ttl, window, until) in [
            (100, 100, u64::MAX),
            (100, 5_000, u64::MAX),
            (100, 5_000, 3_000),
            (10_000, 20_000, 3_000),
            (900 * day, 920 * day, u64::MAX),
            (20 * day, 40 * day, day),
        ] {
            let term = Term::new(7, (ttl, window), until, 0);
            let same = |one: &Term, other: &Term| {
                assert_eq!(one.born, other.born);
                assert_eq!(one.fresh_until, other.fresh_until, "{term:?}");
                assert_eq!(one.stale_until, other.stale_until, "{term:?}");
                assert_eq!(one.ttl_until, other.ttl_until, "{term:?}");
            };
            same(&kept(&term), &term);
            same(&kept(&term.expired()), &term.expired());
            let life = Life::of(&term, 0);
            life.expire();
            life.expire();
            same(&life.term(), &term.expired());
        }
    }

    #[test]
    fn an_expired_entry_is_kept_for_who_may_have_it() {
        let life = Life::of(&Term::new(0, (100, 500), u64::MAX, 0), 0);
        assert!(life.is_fresh(99) && !life.is_fresh(100));
        life.expire();
        assert!(!life.is_fresh(0));
        assert_eq!(life.term().stale_until, 500);
    }

    #[test]
    fn what_ends_in_thousands_of_years_is_bounded() {
        let term = Term::new(0, (u64::MAX, u64::MAX), u64::MAX, 0);
        let life = Life::of(&term, 0);
        assert!(life.is_fresh(u64::MAX / 4));
        assert!(life.term().stale_until > u64::MAX / 4);
    }
}
