//! Counts in this process: where no Redis is configured, and while it does not answer.
//!
//! The number of clients is bounded, because who they are is chosen by them. When there is no room, one of a few picked at random makes it: the one
//! whose count would soonest say nothing any more. So a flood of new addresses pushes out each other, and hardly those who are
//! near their limits. Time is a monotonic clock.

use std::collections::HashMap;
use std::sync::Mutex;

use tokio::time::Instant;

use super::algorithm::{Algorithm, State};
use super::decision::Verdict;

/// Who is counted, for which limit.
pub(super) type Digest = [u8; 16];

/// How many are looked at to find one to forget: five are enough for one of the oldest tenth to be met in four of ten cases, eight in six.
const LOOKED_AT: usize = 8;

#[derive(Debug)]
pub(super) struct Table {
    most: usize,
    start: Instant,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    places: HashMap<Digest, usize>,
    kept: Vec<Kept>,
}

#[derive(Debug)]
struct Kept {
    whose: Digest,
    state: State,
    /// From then on it says what nothing would say.
    ends: u64,
}

impl Table {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            start: Instant::now(),
            counts: Mutex::default(),
        }
    }

    pub(super) fn decide(&self, whose: Digest, algorithm: Algorithm, cost: u64) -> Verdict {
        let now = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX / 4);
        let mut counts = self.counts.lock().expect("no holder panics");
        let place = counts.places.get(&whose).copied();
        let state = place.map(|place| counts.kept[place].state);
        let (verdict, state) = algorithm.decide(state, now, cost);
        if let Some(state) = state {
            let full = u64::try_from(verdict.full.as_micros()).unwrap_or(u64::MAX / 4);
            let ends = now + full;
            let kept = Kept { whose, state, ends };
            match place {
                Some(place) => counts.kept[place] = kept,
                None => counts.add(kept, self.most),
            }
        }
        verdict
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.counts.lock().unwrap().kept.len()
    }
}

impl Counts {
    fn add(&mut self, kept: Kept, most: usize) {
        if self.kept.len() >= most {
            let picked = (0..LOOKED_AT).map(|_| fastrand::usize(..self.kept.len()));
            if let Some(place) = picked.min_by_key(|&place| self.kept[place].ends) {
                self.forget(place);
            }
        }
        self.places.insert(kept.whose, self.kept.len());
        self.kept.push(kept);
    }

    fn forget(&mut self, place: usize) {
        let gone = self.kept.swap_remove(place);
        self.places.remove(&gone.whose);
        if let Some(moved) = self.kept.get(place) {
            self.places.insert(moved.whose, place);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::limit::gcra::Gcra;

    fn digest(n: u64) -> Digest {
        u128::from(n).to_be_bytes()
    }

    fn allowed(table: &Table, n: u64) -> bool {
        let algorithm = Algorithm::Gcra(Gcra::new(10, 1_000_000, 3));
        table.decide(digest(n), algorithm, 1).allowed
    }

    #[tokio::test(start_paused = true)]
    async fn each_is_counted_alone_and_recovers() {
        let table = Table::new(100);
        for who in 0..2 {
            let answers = [0; 4].map(|_| allowed(&table, who));
            assert_eq!(answers, [true, true, true, false]);
        }
        tokio::time::advance(Duration::from_millis(99)).await;
        assert!(!allowed(&table, 0));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(allowed(&table, 0));
        assert!(!allowed(&table, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_strangers_is_bounded_and_pushes_out_itself() {
        let table = Table::new(1000);
        for _ in 0..3 {
            assert!(allowed(&table, 0));
        }
        for stranger in 1..20_000 {
            assert!(allowed(&table, stranger));
            assert_eq!(table.len(), table.len().min(1000));
        }
        // One of eight picked at random is worth more than seven others, unless all eight are it: 1000^-8 each time.
        assert!(!allowed(&table, 0), "who is at his limit stays there");
        let counts = table.counts.lock().unwrap();
        for (place, kept) in counts.kept.iter().enumerate() {
            assert_eq!(counts.places[&kept.whose], place);
        }
        assert_eq!(counts.places.len(), counts.kept.len());
    }
}
