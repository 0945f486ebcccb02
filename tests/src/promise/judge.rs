//! Who compares every read of a fleet with what was evicted before it began.
//!
//! A write is complete for its own process at once. For the others it is, if Redis confirmed it: at once for a read that asked
//! Redis or the origin and found by key; for all others [`UNHEARD`] later, because memory and known generations may be believed for as
//! long as no sign of life is missed.
//!
//! Where a replica takes the place of its primary, what the primary alone has confirmed is lost to the others. The process that evicted
//! it evicts it again, so for that process nothing changes.

use std::collections::HashMap;

use super::FAMILIES;
use super::records::{Batch, Done, Seen};
use super::{Family, Reach};

/// For so long a process may not have heard: three seconds of silence, and what its coarse clock is late by. Nanoseconds.
pub const UNHEARD: u64 = 3_050_000_000;

/// Judged is what began so long ago, so that the batches of everybody have come. A batch that is later still weakens the judgement of
/// its writes and spoils nothing.
const PATIENCE: u64 = 2_000_000_000;

/// Versions that are complete from a time on.
#[derive(Clone, Debug, Default)]
struct Floor(Vec<(u64, u64)>);

impl Floor {
    /// From `at` on, `version` is the oldest there may be.
    fn raise(&mut self, at: u64, version: u64) {
        let before = self.0.partition_point(|(time, _)| *time <= at);
        if before > 0 && self.0[before - 1].1 >= version {
            return;
        }
        let covered = self.0[before..].partition_point(|(_, later)| *later <= version);
        self.0
            .splice(before..before + covered, [(at, version)])
            .for_each(drop);
    }

    fn at(&self, time: u64) -> u64 {
        let until = self.0.partition_point(|(from, _)| *from <= time);
        until.checked_sub(1).map_or(0, |last| self.0[last].1)
    }
}

/// What everybody may see of a family's row.
#[derive(Clone, Debug, Default)]
struct Known {
    /// By process: its own writes.
    own: HashMap<usize, Floor>,
    /// Confirmed writes that removed the entry.
    removed: Floor,
    /// All confirmed writes.
    confirmed: Floor,
    /// By process: its own writes that evicted. What was only expired may be served as stale.
    own_evicted: HashMap<usize, Floor>,
    /// All confirmed writes that evicted.
    evicted: Floor,
}

/// A read that should have seen a newer version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Who read.
    pub process: usize,
    /// What was read.
    pub seen: Seen,
    /// The oldest version it could have returned.
    pub floor: u64,
}

/// The judge of one fleet.
#[derive(Debug, Default)]
pub struct Judge {
    rows: Vec<[Known; FAMILIES]>,
    /// Reads that are still to be judged.
    waiting: Vec<(usize, Seen)>,
    /// Writes that may still be confirmed, by process.
    queued: HashMap<usize, Vec<Done>>,
    /// By process: refused stores and evictions.
    figures: HashMap<usize, (u64, u64)>,
    /// When primaries were replaced: from, until.
    failovers: Vec<(u64, u64)>,
    /// How many reads were judged.
    pub reads: u64,
    /// What was found.
    pub violations: Vec<Violation>,
}

impl Judge {
    /// Of a database with so many rows.
    pub fn of(rows: usize) -> Self {
        Self {
            rows: vec![Default::default(); rows],
            ..Self::default()
        }
    }

    /// A process, which never has the number of another, has told.
    pub fn hear(&mut self, process: usize, batch: Batch) {
        for done in batch.writes {
            self.complete(process, done);
        }
        if let Some(delivered) = batch.delivered {
            self.delivered(process, delivered);
        }
        let reads = batch.reads.into_iter().map(|seen| (process, seen));
        self.waiting.extend(reads);
        self.figures
            .insert(process, (batch.refused, batch.evictions));
    }

    /// From now on, what a primary confirms may be lost; what it has confirmed so far its replica has.
    pub fn failover_from(&mut self, now: u64) {
        self.failovers.push((now, u64::MAX));
    }

    /// The primary is gone, or knows that it is one no more.
    pub fn failover_until(&mut self, now: u64) {
        let open = self.failovers.iter_mut().filter(|it| it.1 == u64::MAX);
        open.for_each(|it| it.1 = now);
    }

    /// Judges what is old enough at `now`.
    pub fn judge(&mut self, now: u64) {
        let due = now.saturating_sub(PATIENCE);
        let (due, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|(_, seen)| seen.began <= due);
        self.waiting = waiting;
        self.pass(due);
    }

    /// Judges everything: nobody will tell any more.
    pub fn judge_all(&mut self) {
        let due = std::mem::take(&mut self.waiting);
        self.pass(due);
    }

    /// Stores that were refused.
    pub fn refused(&self) -> u64 {
        self.figures.values().map(|(refused, _)| refused).sum()
    }

    /// Evictions that were begun.
    pub fn evictions(&self) -> u64 {
        self.figures.values().map(|(_, evictions)| evictions).sum()
    }

    /// What was counted, for people and for `cargo xtask oracle`.
    pub fn summary(&self) -> String {
        format!(
            "{} reads, {} evictions, {} refused stores, {} violations",
            self.reads,
            self.evictions(),
            self.refused(),
            self.violations.len()
        )
    }

    fn complete(&mut self, process: usize, done: Done) {
        for reach in &done.reach {
            let known = self.known(reach.family(), done.row);
            let own = known.own.entry(process).or_default();
            own.raise(done.at, done.version);
            if !done.expired {
                let own = known.own_evicted.entry(process).or_default();
                own.raise(done.at, done.version);
            }
        }
        if done.confirmed {
            self.confirm(&done, done.at);
        } else {
            self.queued.entry(process).or_default().push(done);
        }
    }

    fn delivered(&mut self, process: usize, at: u64) {
        let queued = self.queued.remove(&process).unwrap_or_default();
        let (delivered, queued): (Vec<_>, _) = queued.into_iter().partition(|done| done.at <= at);
        self.queued.insert(process, queued);
        for done in delivered {
            self.confirm(&done, at);
        }
    }

    fn confirm(&mut self, done: &Done, at: u64) {
        let lost = |(from, until): &(u64, u64)| done.began <= *until && *from <= at;
        if self.failovers.iter().any(lost) {
            return;
        }
        for reach in &done.reach {
            let known = self.known(reach.family(), done.row);
            known.confirmed.raise(at, done.version);
            if !done.expired {
                known.evicted.raise(at, done.version);
            }
            if matches!(reach, Reach::Key(_)) {
                known.removed.raise(at, done.version);
            }
        }
    }

    fn known(&mut self, family: Family, row: usize) -> &mut Known {
        &mut self.rows[row][family as usize]
    }

    fn pass(&mut self, reads: Vec<(usize, Seen)>) {
        for (process, seen) in reads {
            self.reads += 1;
            let floor = self.floor(process, &seen);
            if seen.version < floor {
                self.violations.push(Violation {
                    process,
                    seen,
                    floor,
                });
            }
        }
    }

    /// The oldest version a read could return.
    fn floor(&self, process: usize, seen: &Seen) -> u64 {
        let known = &self.rows[seen.row][seen.family as usize];
        let (own, confirmed) = if seen.stale {
            (&known.own_evicted, &known.evicted)
        } else {
            (&known.own, &known.confirmed)
        };
        let own = own.get(&process).map_or(0, |floor| floor.at(seen.began));
        let removed = if seen.asked {
            known.removed.at(seen.began)
        } else {
            0
        };
        let heard = confirmed.at(seen.began.saturating_sub(UNHEARD));
        own.max(removed).max(heard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn read(began: u64, version: u64, asked: bool) -> Batch {
        let seen = Seen {
            family: Family::Row,
            row: 0,
            began,
            version,
            asked,
            stale: false,
        };
        Batch {
            reads: vec![seen],
            ..Batch::default()
        }
    }

    fn write(at: u64, version: u64, reach: Reach, confirmed: bool) -> Batch {
        let done = Done {
            row: 0,
            version,
            reach: vec![reach],
            began: at - 5,
            at,
            confirmed,
            expired: false,
        };
        Batch {
            writes: vec![done],
            ..Batch::default()
        }
    }

    /// Whether a read of version 1 at `began` in process 1 is a violation after what process 0 has told.
    fn is_stale(told: &[Batch], process: usize, began: u64, asked: bool) -> bool {
        let mut judge = Judge::of(1);
        for batch in told {
            judge.hear(0, batch.clone());
        }
        judge.hear(process, read(began, 1, asked));
        judge.judge_all();
        assert_eq!(judge.reads, 1);
        !judge.violations.is_empty()
    }

    const KEY: Reach = Reach::Key(Family::Row);
    const LABEL: Reach = Reach::Label(Family::Row);

    #[test]
    fn own_writes_are_seen_at_once_and_not_before() {
        for confirmed in [true, false] {
            let told = [write(10, 2, LABEL, confirmed)];
            assert!(is_stale(&told, 0, 10, false), "{confirmed}");
            assert!(!is_stale(&told, 0, 9, false), "{confirmed}");
        }
    }

    #[test]
    fn what_was_removed_is_not_found_by_who_asks() {
        let told = [write(10, 2, KEY, true)];
        assert!(is_stale(&told, 1, 10, true));
        assert!(!is_stale(&told, 1, 9, true));
        assert!(!is_stale(&told, 1, 10, false), "memory may not have heard");
        let told = [write(10, 2, LABEL, true)];
        assert!(!is_stale(&told, 1, 10, true), "generations may be known");
    }

    #[test]
    fn everybody_has_heard_after_the_longest_silence() {
        for reach in [KEY, LABEL] {
            let told = [write(10, 2, reach, true)];
            assert!(is_stale(&told, 1, 10 + UNHEARD, false));
            assert!(!is_stale(&told, 1, 9 + UNHEARD, false));
        }
    }

    #[test]
    fn what_is_queued_counts_once_it_is_delivered() {
        let queued = write(10, 2, KEY, false);
        let delivered = |at| Batch {
            delivered: Some(at),
            ..Batch::default()
        };
        let late = SECOND + UNHEARD;
        assert!(!is_stale(std::slice::from_ref(&queued), 1, late, true));
        assert!(!is_stale(&[queued.clone(), delivered(9)], 1, late, true));
        assert!(is_stale(&[queued.clone(), delivered(20)], 1, 20, true));
        assert!(!is_stale(&[queued, delivered(20)], 1, 19, true));
    }

    #[test]
    fn what_may_be_lost_with_a_primary_counts_for_its_process_only() {
        for (from, until, kept) in [(10, 20, false), (4, 5, false), (11, 20, true), (1, 4, true)] {
            let mut judge = Judge::of(1);
            judge.failover_from(from);
            judge.failover_until(until);
            judge.hear(0, write(10, 2, KEY, true));
            judge.hear(1, read(10, 1, true));
            judge.judge_all();
            assert_eq!(judge.violations.len(), usize::from(kept), "{from}..{until}");
            judge.hear(0, read(10, 1, true));
            judge.judge_all();
            assert_eq!(judge.violations.len(), 1 + usize::from(kept));
        }
    }

    #[test]
    fn what_is_delivered_during_a_failover_may_be_lost_too() {
        let mut judge = Judge::of(1);
        judge.hear(0, write(10, 2, KEY, false));
        judge.failover_from(15);
        let delivered = Some(20);
        judge.hear(
            0,
            Batch {
                delivered,
                ..Batch::default()
            },
        );
        judge.failover_until(30);
        judge.hear(0, write(40, 3, KEY, true));
        judge.hear(1, read(39, 1, true));
        judge.judge_all();
        assert_eq!(judge.violations, []);
        judge.hear(1, read(40, 2, true));
        judge.judge_all();
        assert_eq!(judge.violations.len(), 1, "what is evicted later counts");
    }

    #[test]
    fn what_was_expired_may_be_served_as_stale_and_what_was_evicted_not() {
        for (expired, stale, process, violates) in [
            (true, true, 0, false),
            (true, true, 1, false),
            (true, false, 0, true),
            (true, false, 1, true),
            (false, true, 0, true),
            (false, true, 1, true),
        ] {
            let (mut told, mut reads) = (write(10, 2, KEY, true), read(10 + UNHEARD, 1, false));
            told.writes[0].expired = expired;
            reads.reads[0].stale = stale;
            let mut judge = Judge::of(1);
            judge.hear(0, told);
            judge.hear(process, reads);
            judge.judge_all();
            let found = !judge.violations.is_empty();
            assert_eq!(found, violates, "{expired} {stale} {process}");
        }
    }

    #[test]
    fn rows_and_families_are_judged_apart() {
        let told = [write(10, 2, Reach::Key(Family::Late), true)];
        assert!(!is_stale(&told, 1, SECOND + UNHEARD, true));
    }

    #[test]
    fn reads_wait_for_the_batches_of_others() {
        let mut judge = Judge::of(1);
        judge.hear(1, read(SECOND, 1, true));
        judge.judge(SECOND + PATIENCE - 1);
        assert_eq!(judge.reads, 0);
        judge.hear(0, write(SECOND, 2, KEY, true));
        judge.judge(SECOND + PATIENCE);
        assert_eq!((judge.reads, judge.violations.len()), (1, 1));
    }

    #[test]
    fn a_floor_rises_in_any_order_of_telling() {
        let mut floor = Floor::default();
        for (at, version) in [(30, 5), (10, 2), (20, 1), (40, 4), (5, 3)] {
            floor.raise(at, version);
        }
        let seen: Vec<_> = [4, 5, 10, 29, 30, 50].map(|time| floor.at(time)).into();
        assert_eq!(seen, [0, 3, 3, 3, 5, 5]);
    }

    #[test]
    fn figures_are_the_last_of_every_process() {
        let mut judge = Judge::of(1);
        for (process, refused) in [(0, 1), (0, 3), (1, 2)] {
            let batch = Batch {
                refused,
                evictions: 2 * refused,
                ..Batch::default()
            };
            judge.hear(process, batch);
        }
        assert_eq!((judge.refused(), judge.evictions()), (5, 10));
    }
}
