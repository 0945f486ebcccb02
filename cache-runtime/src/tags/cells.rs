//! What this process knows of labels: the table of all [`Cell`]s and [`Root`]s.
//!
//! **Problem.** A hit in memory must not ask Redis whether a label was evicted, and a generation that was read must not be
//! believed if the label was evicted while the answer was on its way.
//!
//! **Decision.** Each label in use is one interned [`Cell`]: how often it was evicted as far as this process has heard, and a generation
//! or nothing. Hearing of an eviction raises the count and forgets the generation. What was derived under a count (an entry in memory, a
//! flight) is good while the count stands. Only a read of Redis brings a generation, and only if the count has not moved
//! since before the read was sent, in the same epoch of the bus.
//!
//! The labels every entry has (cache, regions) share a [`Root`], one per region, whose count moves with any of theirs: an entry without
//! tags of its own costs a hit one load.
//!
//! Cells that nothing points at are dropped when their number has doubled.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use foldhash::fast::RandomState;

use super::{Cell, Label, LabelKind, Manner, Root};
use crate::key::regions;

/// Unused cells are looked for when there are so many, at first.
const MANY: usize = 1_024;

/// Beyond this many held labels, or twice as many if nobody has looked, everything is held: safe, and bounded.
const MOST_HELD: usize = 10_000;

/// All cells of a cache.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    table: RwLock<Table>,
    /// Evictions of tags, of any: entries may turn out to carry tags that nobody knew of when their load began.
    tag_evictions: AtomicU64,
    /// Moves of the counts of tags and scopes, of any, that are done: while there is none, what was found current still is.
    moves: AtomicU64,
}

#[derive(Debug, Default)]
struct Table {
    cells: HashMap<Label, Arc<Cell>, RandomState>,
    roots: HashMap<Box<str>, Arc<Root>, RandomState>,
    /// Cells that have to stay until their hold ends, and when that is: what comes later is held by them.
    held: HashMap<Label, (u64, Arc<Cell>)>,
    look_at: usize,
    look_at_held: usize,
}

impl Cells {
    /// The root of a region, given as encoded text.
    pub(crate) fn root(&self, region: &str) -> Arc<Root> {
        let known = self.read().roots.get(region).cloned();
        known.unwrap_or_else(|| self.write().root(region))
    }

    pub(crate) fn cell(&self, label: &Label) -> Arc<Cell> {
        let known = self.read().cells.get(label).cloned();
        known.unwrap_or_else(|| self.write().cell(label))
    }

    /// How many evictions of tags there were.
    pub(crate) fn tag_evictions(&self) -> u64 {
        self.tag_evictions.load(Ordering::SeqCst)
    }

    /// How often the count of a tag or a scope has moved; to be read before the counts.
    #[inline]
    pub(crate) fn moves(&self) -> u64 {
        self.moves.load(Ordering::SeqCst)
    }

    /// Whether all regions that entries of this process have are such.
    pub(crate) fn all_regions(&self, such: impl Fn(&str) -> bool) -> bool {
        self.read().roots.keys().all(|region| such(region))
    }

    /// A label was evicted or expired, here or elsewhere; stores under it are refused until `held_until`.
    pub(crate) fn gone(&self, label: &Label, manner: Manner, now: u64, held_until: u64) {
        let kind = label.kind();
        if kind == LabelKind::Tag {
            // First: who reads a cell's count after it moved must find this one moved as well.
            self.tag_evictions.fetch_add(1, Ordering::SeqCst);
        }
        // A cell that nobody has made is in no flight and under no entry; a hold has to be remembered all the same, and to be seen by whoever
        // sees the count.
        let mut table = self.write();
        if now < held_until {
            table.hold(label, now, held_until);
        }
        if let Some(cell) = table.cells.get(label) {
            cell.gone(manner);
        }
        if matches!(kind, LabelKind::Cache | LabelKind::Region) {
            let concerned = table.roots.values().filter(|root| root.has(label));
            concerned.for_each(|root| root.gone(manner));
        } else {
            // Last: who reads this one and then a count that has not moved yet must find this one moved later.
            self.moves.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Table> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn cell(&mut self, label: &Label) -> Arc<Cell> {
        if let Some(cell) = self.cells.get(label) {
            return Arc::clone(cell);
        }
        self.drop_unused();
        let cell = Arc::new(Cell::new(label.clone()));
        self.cells.insert(label.clone(), Arc::clone(&cell));
        cell
    }

    fn root(&mut self, region: &str) -> Arc<Root> {
        if let Some(root) = self.roots.get(region) {
            return Arc::clone(root);
        }
        let cache = self.cell(&Label::cache());
        let regions = regions(region).map(|region| self.cell(&Label::region(region)));
        let cells: Box<[_]> = std::iter::once(cache)
            .chain(regions.collect::<Vec<_>>())
            .collect();
        let root = Arc::new(Root::new(region, cells));
        self.roots.insert(region.into(), Arc::clone(&root));
        root
    }

    /// Holds a label, and keeps its cell until the hold ends.
    fn hold(&mut self, label: &Label, now: u64, until: u64) {
        let cell = self.cell(label);
        cell.hold(until);
        if matches!(label.kind(), LabelKind::Cache | LabelKind::Region) {
            let concerned = self.roots.values().filter(|root| root.has(label));
            concerned.for_each(|root| root.hold(until));
        }
        let held = self.held.entry(label.clone()).or_insert((until, cell));
        held.0 = held.0.max(until);
        self.forget_holds(now);
    }

    /// Drops what is over, when there is twice as much as after the last time; if what is left is beyond the bound, the cache is held as a
    /// whole.
    fn forget_holds(&mut self, now: u64) {
        if self.held.len() < self.look_at_held.max(MANY) {
            return;
        }
        self.held.retain(|_, (until, _)| now < *until);
        self.look_at_held = 2 * self.held.len();
        if self.held.len() > MOST_HELD {
            let longest = self.held.drain().map(|(_, (until, _))| until).max();
            self.hold(&Label::cache(), now, longest.unwrap_or(now));
        }
    }

    /// Drops what only this table points at, when there is twice as much as after the last time.
    fn drop_unused(&mut self) {
        if self.cells.len() + self.roots.len() < self.look_at.max(MANY) {
            return;
        }
        self.roots.retain(|_, root| Arc::strong_count(root) > 1);
        self.cells.retain(|_, cell| Arc::strong_count(cell) > 1);
        self.look_at = 2 * (self.cells.len() + self.roots.len());
    }
}

#[cfg(test)]
mod tests {
    use super::{Cells, Label, Manner};

    fn label(n: usize) -> Label {
        Label::stored(&n.to_string())
    }

    impl Cells {
        fn holds(&self, label: &Label, now: u64) -> bool {
            self.cell(label).is_held(now)
        }
    }

    #[test]
    fn a_label_that_is_held_again_and_again_is_remembered_once_and_for_the_longest() {
        let cells = Cells::default();
        for until in [20, 30, 10] {
            cells.gone(&label(1), Manner::Evict, 0, until);
        }
        assert_eq!(cells.read().held.len(), 1);
        assert!(cells.holds(&label(1), 29) && !cells.holds(&label(1), 30));
    }

    #[test]
    fn holds_that_are_over_are_forgotten() {
        let cells = Cells::default();
        for n in 0..50_000 {
            cells.gone(&label(n), Manner::Evict, n as u64, n as u64 + 10);
        }
        let table = cells.read();
        assert!(table.held.len() < 3_000, "{}", table.held.len());
        assert!(table.cells.len() < 6_000, "{}", table.cells.len());
    }

    #[test]
    fn more_holds_than_the_bound_hold_everything() {
        let cells = Cells::default();
        let before = cells.root("a:b");
        for n in 0..2 * super::MOST_HELD {
            cells.gone(&label(n), Manner::Evict, 0, 10);
        }
        assert!(cells.read().held.len() <= super::MOST_HELD);
        for root in [before, cells.root("made:later")] {
            assert!(root.is_held(9) && !root.is_held(10));
        }
    }

    #[test]
    fn a_hold_outlives_the_use_of_its_label() {
        let cells = Cells::default();
        cells.gone(&Label::region("a"), Manner::Evict, 0, 10);
        for n in 0..5_000 {
            cells.cell(&label(n));
        }
        assert!(cells.root("a:b").is_held(9));
    }
}
