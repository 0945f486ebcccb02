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

use super::{
    read::millis,
    selection::{Item, Target},
};
use crate::{
    bus::Manner,
    tags::{Label, Labelling},
};

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
    /// One replay of keys at a time, and beside it one of patterns: a scan must not hold a reader up.
    pub(crate) replaying: tokio::sync::Mutex<()>,
    pub(crate) sweeping: tokio::sync::Mutex<()>,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    manner: Manner,
    /// Until when its loads are not stored; milliseconds of the memory clock.
    held_until: u64,
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
    /// Queues an eviction at `now`; of two for one target the union remains.
    ///
    /// Overflow becomes "everything", held for as long as the longest of what it replaces.
    pub(crate) fn push(&self, item: &Item, now: u64) {
        let mut pending = self.lock();
        let edition = self.editions.fetch_add(1, Ordering::Relaxed);
        let until = if item.hold.is_zero() {
            0
        } else {
            now.saturating_add(millis(item.hold))
        };
        let new = Pending {
            manner: item.manner,
            held_until: until,
            edition,
        };
        match pending
            .iter_mut()
            .find(|(target, _)| *target == item.target)
        {
            Some((_, entry)) => {
                *entry = Pending {
                    manner: stronger(entry.manner, item.manner),
                    held_until: entry.held_until.max(until),
                    edition,
                }
            }
            None => pending.push((item.target.clone(), new)),
        }
        if pending.len() > MOST {
            let held_until = pending
                .iter()
                .map(|(_, entry)| entry.held_until)
                .max()
                .unwrap_or(0);
            *pending = vec![(
                Target::all(),
                Pending {
                    manner: Manner::Evict,
                    held_until,
                    edition,
                },
            )];
        }
        self.len.store(pending.len(), Ordering::Release);
    }

    pub(crate) fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    /// Whether an eviction that concerns an entry with this key and these labels is waiting.
    pub(crate) fn concerns(&self, key: &str, labelling: &Labelling) -> bool {
        let concerns = |target: &Target| target.concerns(key, labelling);
        self.len() > 0 && self.lock().iter().any(|(target, _)| concerns(target))
    }

    /// Whether an eviction of one of these labels is waiting.
    pub(crate) fn names(&self, labels: &[Label]) -> bool {
        let named =
            |(target, _): &(Target, _)| target.label().is_some_and(|it| labels.contains(&it));
        self.len() > 0 && self.lock().iter().any(named)
    }

    /// What is waiting at `now` and is chosen.
    pub(crate) fn pending(&self, now: u64, chosen: impl Fn(&Target) -> bool) -> Vec<Replay> {
        self.lock()
            .iter()
            .filter(|(target, _)| chosen(target))
            .map(|(target, pending)| Replay {
                item: Item {
                    target: target.clone(),
                    manner: pending.manner,
                    hold: Duration::from_millis(pending.held_until.saturating_sub(now)),
                },
                edition: pending.edition,
            })
            .collect()
    }

    /// Whether nobody has replayed it meanwhile.
    pub(crate) fn is_pending(&self, replay: &Replay) -> bool {
        self.lock()
            .iter()
            .any(|(_, entry)| entry.edition == replay.edition)
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

/// To evict is to expire and more.
fn stronger(one: Manner, other: Manner) -> Manner {
    if one == other { one } else { Manner::Evict }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{
        super::selection::{Item, Target},
        Journal, MOST,
    };
    use crate::{
        bus::Manner,
        key::{Key, Pattern},
        tags::{Cells, Label, Labelling},
    };

    fn key(text: &str) -> Item {
        Item::evict(Target::Key(Key::new(text)))
    }

    fn concerns(journal: &Journal, text: &str) -> bool {
        journal.concerns(text, &labelled("shop", &[], false))
    }

    fn labelled(region: &str, tags: &[&str], late: bool) -> Labelling {
        let cells = Cells::default();
        let tag = |tag: &&str| cells.cell(&Label::stored(tag));
        Labelling {
            root: cells.root(region),
            scope: None,
            tags: tags.iter().map(tag).collect(),
            late,
        }
    }

    fn pending(journal: &Journal, now: u64) -> Vec<super::Replay> {
        journal.pending(now, |_| true)
    }

    #[test]
    fn what_concerns_a_key_blocks_it_and_nothing_else() {
        let journal = Journal::default();
        journal.push(&key("a"), 0);
        let pattern = Target::Pattern(Pattern::parse("list:*"));
        journal.push(&Item::evict(pattern), 0);
        assert!(concerns(&journal, "a") && concerns(&journal, "list:1"));
        assert!(!concerns(&journal, "b"));
    }

    #[test]
    fn what_concerns_a_label_blocks_what_carries_it_or_may() {
        let journal = Journal::default();
        journal.push(&Item::evict(Target::Label(Label::stored("hot"))), 0);
        assert!(journal.concerns("a", &labelled("shop", &["hot"], false)));
        assert!(journal.concerns("a", &labelled("shop", &[], true)));
        assert!(!journal.concerns("a", &labelled("shop", &["cold"], false)));
        assert!(journal.names(&[Label::stored("hot")]));
        journal.push(&Item::evict(Target::all()), 0);
        assert!(journal.concerns("a", &labelled("shop", &[], false)));
    }

    #[test]
    fn to_evict_is_more_than_to_expire() {
        let journal = Journal::default();
        let expire = Item {
            manner: Manner::Expire,
            ..key("a")
        };
        journal.push(&expire, 0);
        assert_eq!(pending(&journal, 0)[0].item.manner, Manner::Expire);
        journal.push(&key("a"), 0);
        journal.push(&expire, 0);
        assert_eq!(pending(&journal, 0)[0].item.manner, Manner::Evict);
    }

    #[test]
    fn queued_again_during_a_replay_it_stays() {
        let journal = Journal::default();
        journal.push(&key("a"), 0);
        let replay = pending(&journal, 0);
        journal.push(&key("a"), 0);
        journal.strike(&replay[0]);
        assert!(concerns(&journal, "a"));
        journal.strike(&pending(&journal, 0)[0]);
        assert_eq!(journal.len(), 0);
    }

    #[test]
    fn the_longer_hold_stays() {
        let journal = Journal::default();
        let held = |seconds| Item {
            hold: Duration::from_secs(seconds),
            ..key("a")
        };
        journal.push(&held(5), 1_000);
        journal.push(&held(2), 2_000);
        // What is left of it, not the whole again: an outage is longer than a hold.
        assert_eq!(
            pending(&journal, 4_000)[0].item.hold,
            Duration::from_secs(2)
        );
        assert_eq!(pending(&journal, 9_000)[0].item.hold, Duration::ZERO);
    }

    #[test]
    fn overflow_becomes_everything() {
        let journal = Journal::default();
        for number in 0..=MOST {
            journal.push(&key(&number.to_string()), 0);
        }
        assert_eq!(journal.len(), 1);
        assert!(concerns(&journal, "never named"));
    }
}
