//! What Redis was asked to evict a short while ago.
//!
//! **Problem.** Where servers replicate, the next primary may lack what the last one has confirmed: all that came after the next one was
//! chosen and before this process left, about a second of it, and more where the last one was cut off. An eviction among it would be undone, and
//! this process would read what it has evicted itself.
//!
//! **Decision.** Of a tier that can go to another server, evictions (and puts, which replace a value) are remembered for [`KEPT`], the latest [`MOST`] of them. When
//! it does, they go into the journal, before the first command goes there. To evict again costs a load at most.
//!
//! A read that found nothing about itself in the journal may still be answered by the other server, if that came in between: moves are counted, and what was read across one
//! is not used.
//!
//! They are noted before they are sent: what was sent to the server before is known when the next one is connected.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use super::{Core, read::millis, selection::Item};

/// Milliseconds. Sentinels lose patience with a server after 30 s if nobody tells them otherwise.
const KEPT: u64 = 30_000;
/// Fewer than make the journal say "everything".
const MOST: usize = 1_000;

#[derive(Debug, Default)]
pub(crate) struct Lately {
    /// Whether the tier can go to another server.
    wanted: AtomicBool,
    moves: AtomicU64,
    /// With when they were noted, by the memory clock.
    items: Mutex<VecDeque<(u64, Item)>>,
}

impl Lately {
    /// From now on evictions are noted.
    pub(crate) fn want(&self) {
        self.wanted.store(true, Ordering::Release);
    }

    /// How often the tier went to another server.
    pub(super) fn moves(&self) -> u64 {
        self.moves.load(Ordering::SeqCst)
    }

    /// To be called before they are sent.
    pub(super) fn note(&self, new: &[Item], now: u64) {
        if !self.wanted.load(Ordering::Acquire) {
            return;
        }
        let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        for item in &new[new.len().saturating_sub(MOST)..] {
            items.retain(|(at, noted)| now.saturating_sub(*at) < KEPT && !same(noted, item));
            items.push_back((now, item.clone()));
        }
        let beyond = items.len().saturating_sub(MOST);
        drop(items.drain(..beyond));
    }

    /// What was noted, with what is left of the holds.
    fn take(&self, now: u64) -> Vec<Item> {
        let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = items
            .drain(..)
            .filter(|(at, _)| now.saturating_sub(*at) < KEPT);
        let left = |(at, item): (u64, Item)| {
            let until = at.saturating_add(millis(item.hold));
            let hold = std::time::Duration::from_millis(until.saturating_sub(now));
            Item { hold, ..item }
        };
        recent.map(left).collect()
    }
}

fn same(one: &Item, other: &Item) -> bool {
    one.target == other.target && one.manner == other.manner && one.hold <= other.hold
}

impl Core {
    /// The tier is about to talk to another server.
    pub(crate) fn goes_elsewhere(self: &Arc<Self>) {
        let lately = self.lately.take(self.clock.now());
        if !lately.is_empty() {
            self.queue(&lately);
        }
        // Last: whoever counts this move finds in the journal what it brought.
        self.lately.moves.fetch_add(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{KEPT, Lately, MOST};
    use crate::{
        engine::selection::{Item, Target},
        key::Key,
    };

    fn key(text: &str, hold: u64) -> Item {
        Item {
            hold: Duration::from_secs(hold),
            ..Item::evict(Target::Key(Key::new(text)))
        }
    }

    fn taken(lately: &Lately, now: u64) -> Vec<(Target, u64)> {
        let items = lately.take(now).into_iter();
        items
            .map(|item| (item.target, item.hold.as_secs()))
            .collect()
    }

    fn wanted() -> Lately {
        let lately = Lately::default();
        lately.want();
        lately
    }

    #[test]
    fn nothing_is_kept_of_a_tier_that_stays() {
        let lately = Lately::default();
        lately.note(&[key("a", 0)], 0);
        assert!(taken(&lately, 0).is_empty());
    }

    #[test]
    fn what_is_recent_is_taken_once_and_once_each() {
        let lately = wanted();
        lately.note(&[key("old", 0)], 0);
        lately.note(&[key("a", 0), key("b", 0)], 1_000);
        lately.note(&[key("a", 0)], 2_000);
        let expected = [key("b", 0), key("a", 0)].map(|it| (it.target, 0));
        assert_eq!(taken(&lately, KEPT), expected);
        assert!(taken(&lately, KEPT).is_empty());
    }

    #[test]
    fn of_a_hold_is_taken_what_is_left() {
        let lately = wanted();
        lately.note(&[key("a", 5)], 1_000);
        lately.note(&[key("a", 0)], 2_000);
        let expected = [3, 0].map(|left| (key("a", 0).target, left));
        assert_eq!(taken(&lately, 3_000), expected);
    }

    #[test]
    fn the_latest_are_kept() {
        let lately = wanted();
        for number in 0..=MOST {
            lately.note(&[key(&number.to_string(), 0)], 0);
        }
        let taken = taken(&lately, 0);
        assert_eq!(taken.len(), MOST);
        assert_eq!(taken[0].0, key("1", 0).target);
    }
}
