//! Keys whose loads must not be stored for a while.
//!
//! An eviction with `hold` says that reads of the origin may still see the old value (a lagging replica, a
//! transaction whose outcome nobody knows). Redis holds for the fleet; this table holds in the process,
//! for the memory tier and for when Redis does not answer. A hold is extended, never shortened.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::key::Pattern;

/// Beyond this many held keys everything is held: safe, and bounded.
const MOST: usize = 10_000;

/// Holds by key and by pattern; times are milliseconds of the memory clock.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    /// The end of the last hold: most calls look no further.
    last: AtomicU64,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    keys: HashMap<Box<str>, u64>,
    patterns: HashMap<Pattern, u64>,
}

impl Holds {
    pub(crate) fn hold_key(&self, key: &str, now: u64, until: u64) {
        self.change(now, until, |held| extend(&mut held.keys, key.into(), until));
    }

    pub(crate) fn hold_pattern(&self, pattern: &Pattern, now: u64, until: u64) {
        self.change(now, until, |held| {
            extend(&mut held.patterns, pattern.clone(), until)
        });
    }

    /// Whether a load of `key` that begins now must not be stored.
    pub(crate) fn holds(&self, key: &str, now: u64) -> bool {
        self.left(key, now) > 0
    }

    /// How long loads of `key` are still held, in milliseconds.
    pub(crate) fn left(&self, key: &str, now: u64) -> u64 {
        if now >= self.last.load(Ordering::Acquire) {
            return 0;
        }
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let by_pattern = held
            .patterns
            .iter()
            .filter(|(pattern, _)| pattern.matches(key));
        let until = by_pattern
            .map(|(_, until)| until)
            .chain(held.keys.get(key))
            .max();
        until.map_or(0, |until| until.saturating_sub(now))
    }

    fn change(&self, now: u64, until: u64, add: impl FnOnce(&mut Held)) {
        if until <= now {
            return;
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.keys.retain(|_, &mut until| now < until);
        held.patterns.retain(|_, &mut until| now < until);
        add(&mut held);
        self.last.fetch_max(until, Ordering::Release);
        if held.keys.len() + held.patterns.len() > MOST {
            held.keys.clear();
            held.patterns.clear();
            held.patterns
                .insert(Pattern::all(), self.last.load(Ordering::Acquire));
        }
    }
}

fn extend<K: std::hash::Hash + Eq>(map: &mut HashMap<K, u64>, key: K, until: u64) {
    let end = map.entry(key).or_insert(until);
    *end = (*end).max(until);
}

#[cfg(test)]
mod tests {
    use super::{Holds, MOST};
    use crate::key::Pattern;

    #[test]
    fn a_hold_is_extended_and_never_shortened() {
        let holds = Holds::default();
        holds.hold_key("a", 0, 10);
        holds.hold_key("a", 0, 5);
        assert!(holds.holds("a", 9));
        assert!(!holds.holds("a", 10));
        assert!(!holds.holds("b", 9));
        holds.hold_key("a", 9, 20);
        assert!(holds.holds("a", 19));
    }

    #[test]
    fn a_pattern_holds_what_it_matches() {
        let holds = Holds::default();
        holds.hold_pattern(&Pattern::parse("list:*"), 0, 10);
        assert!(holds.holds("list:7", 3));
        assert!(!holds.holds("item:7", 3));
    }

    #[test]
    fn more_holds_than_the_bound_hold_everything() {
        let holds = Holds::default();
        for key in 0..=MOST {
            holds.hold_key(&key.to_string(), 0, 10);
        }
        assert!(holds.holds("never named", 9));
        assert!(!holds.holds("never named", 10));
    }
}
