//! Evictions that Redis has not confirmed.
//!
//! They are kept, bounded, and replayed before any other command of this process that could read or fill what
//! they concern; reads of other keys go on. The journal lives in memory: a process that ends with a journal
//! loses it, and what it held stays readable elsewhere until its ttl.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::evict::{Item, Target};

/// Beyond this many targets the journal says "everything".
const MOST: usize = 1_024;

/// What is still to be evicted.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    /// Most calls look no further than this.
    len: AtomicUsize,
    /// In the order of their arrival.
    pending: Mutex<Vec<(Target, Pending)>>,
    editions: AtomicU64,
    /// One replay at a time.
    pub(crate) replaying: tokio::sync::Mutex<()>,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    hold: Duration,
    /// Changes when the same target is queued again: a replay that began before must not strike it out.
    edition: u64,
}

/// An eviction as it stood when a replay began.
#[derive(Clone, Debug)]
pub(crate) struct Replay {
    pub(crate) item: Item,
    edition: u64,
}

impl Journal {
    /// Queues an eviction; of two for one target the union remains.
    pub(crate) fn push(&self, item: &Item) {
        let mut pending = self.lock();
        let edition = self.editions.fetch_add(1, Ordering::Relaxed);
        match pending
            .iter_mut()
            .find(|(target, _)| *target == item.target)
        {
            Some((_, entry)) => {
                *entry = Pending {
                    hold: entry.hold.max(item.hold),
                    edition,
                }
            }
            None => pending.push((
                item.target.clone(),
                Pending {
                    hold: item.hold,
                    edition,
                },
            )),
        }
        if pending.len() > MOST {
            *pending = vec![(
                Target::All,
                Pending {
                    hold: Duration::ZERO,
                    edition,
                },
            )];
        }
        self.len.store(pending.len(), Ordering::Release);
    }

    pub(crate) fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    /// Whether an eviction that concerns `key` is waiting.
    pub(crate) fn concerns(&self, key: &str) -> bool {
        self.len() > 0 && self.lock().iter().any(|(target, _)| target.concerns(key))
    }

    /// What is waiting and concerns `key`; everything without a key.
    pub(crate) fn pending(&self, key: Option<&str>) -> Vec<Replay> {
        self.lock()
            .iter()
            .filter(|(target, _)| key.is_none_or(|key| target.concerns(key)))
            .map(|(target, pending)| Replay {
                item: Item {
                    target: target.clone(),
                    hold: pending.hold,
                },
                edition: pending.edition,
            })
            .collect()
    }

    /// Strikes out what has been replayed, unless it was queued again meanwhile.
    pub(crate) fn strike(&self, done: &Replay) {
        let mut pending = self.lock();
        pending.retain(|(_, entry)| entry.edition != done.edition);
        self.len.store(pending.len(), Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Target, Pending)>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{
        super::evict::{Item, Target},
        Journal, MOST,
    };
    use crate::key::{Key, Pattern};

    fn key(text: &str) -> Item {
        Item {
            target: Target::Key(Key::new(text)),
            hold: Duration::ZERO,
        }
    }

    #[test]
    fn what_concerns_a_key_blocks_it_and_nothing_else() {
        let journal = Journal::default();
        journal.push(&key("a"));
        journal.push(&Item {
            target: Target::Pattern(Pattern::parse("list:*")),
            hold: Duration::ZERO,
        });
        assert!(journal.concerns("a") && journal.concerns("list:1"));
        assert!(!journal.concerns("b"));
    }

    #[test]
    fn queued_again_during_a_replay_it_stays() {
        let journal = Journal::default();
        journal.push(&key("a"));
        let replay = journal.pending(Some("a"));
        journal.push(&key("a"));
        journal.strike(&replay[0]);
        assert!(journal.concerns("a"));
        journal.strike(&journal.pending(None)[0]);
        assert_eq!(journal.len(), 0);
    }

    #[test]
    fn the_longer_hold_stays() {
        let journal = Journal::default();
        journal.push(&Item {
            hold: Duration::from_secs(5),
            ..key("a")
        });
        journal.push(&Item {
            hold: Duration::from_secs(2),
            ..key("a")
        });
        assert_eq!(journal.pending(None)[0].item.hold, Duration::from_secs(5));
    }

    #[test]
    fn overflow_becomes_everything() {
        let journal = Journal::default();
        for number in 0..=MOST {
            journal.push(&key(&number.to_string()));
        }
        assert_eq!(journal.len(), 1);
        assert!(journal.concerns("never named"));
    }
}
