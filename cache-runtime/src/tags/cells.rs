//! What this process knows of labels.
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
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{Generation, Label, LabelKind};
use crate::key::regions;

/// How long a generation is believed, in milliseconds: a label in use is read again, and its life prolonged, long before it is lost.
const BELIEVED: u64 = 3_600_000;
/// Unused cells are looked for when there are so many, at first.
const MANY: usize = 1_024;

/// Beyond this many held labels, or twice as many if nobody has looked, everything is held: safe, and bounded.
const MOST_HELD: usize = 10_000;

/// One label.
#[derive(Debug)]
pub(crate) struct Cell {
    label: Label,
    evictions: AtomicU64,
    held_until: AtomicU64,
    known: Mutex<Option<Known>>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    generation: Generation,
    epoch: u64,
    /// Milliseconds of the memory clock.
    at: u64,
    /// Entries of this life may rely on it.
    life: Duration,
}

/// A count as it was before a read was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Before(u64);

impl Cell {
    fn new(label: Label) -> Self {
        Self {
            label,
            evictions: AtomicU64::new(0),
            held_until: AtomicU64::new(0),
            known: Mutex::new(None),
        }
    }

    pub(crate) fn label(&self) -> &Label {
        &self.label
    }

    /// The count now; to be taken before a read is sent.
    pub(crate) fn before(&self) -> Before {
        Before(self.evictions.load(Ordering::SeqCst))
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
        let mut known = self.lock();
        // Under the lock: an eviction moves the count first and forgets then.
        if self.before() == before {
            *known = Some(Known {
                generation,
                epoch,
                at: now,
                life,
            });
        }
    }

    /// The generation, if it is known in this epoch and entries of this life may rely on it.
    pub(crate) fn known(&self, epoch: u64, now: u64, life: Duration) -> Option<Generation> {
        let known = (*self.lock())?;
        let fits = known.epoch == epoch && known.life >= life;
        (fits && now.saturating_sub(known.at) < BELIEVED).then_some(known.generation)
    }

    /// What is known did not agree with an entry: one of the two is old.
    pub(crate) fn forget(&self) {
        *self.lock() = None;
    }

    /// Whether stores under it are refused at `now`, as far as this process has heard.
    pub(crate) fn is_held(&self, now: u64) -> bool {
        now < self.held_until.load(Ordering::SeqCst)
    }

    fn hold(&self, until: u64) {
        self.held_until.fetch_max(until, Ordering::SeqCst);
    }

    fn evicted(&self) {
        self.evictions.fetch_add(1, Ordering::SeqCst);
        self.forget();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The labels that every entry of one region has: the cache, and the regions from the outside in.
#[derive(Debug)]
pub(crate) struct Root {
    region: Box<str>,
    evictions: AtomicU64,
    held_until: AtomicU64,
    cells: Box<[Arc<Cell>]>,
    registered: Mutex<Option<Registered>>,
}

/// Redis has confirmed to know of a region.
#[derive(Clone, Copy, Debug)]
struct Registered {
    epoch: u64,
    /// Milliseconds of the memory clock.
    at: u64,
    /// The first half of the cache's generation beside it. A registry that was lost and made again has another.
    cache: u64,
    /// Entries of this life may rely on it.
    life: Duration,
}

impl Root {
    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// The cell of the cache, then those of the regions.
    pub(crate) fn cells(&self) -> &[Arc<Cell>] {
        &self.cells
    }

    /// Whether Redis knows of the region for as long as an entry of this life, in this epoch and under the generation of the cache
    /// that is known. It forgets regions that nobody registers again, so this is believed no longer than a generation.
    pub(crate) fn is_registered(&self, epoch: u64, now: u64, life: Duration) -> bool {
        let Some(registered) = *self.registration() else {
            return false;
        };
        let cache = self.cells[0].known(epoch, now, Duration::ZERO);
        registered.epoch == epoch
            && registered.life >= life
            && now.saturating_sub(registered.at) < BELIEVED
            && cache.is_some_and(|cache| cache.evict == registered.cache)
    }

    /// Redis has registered the region for entries of this life, beside this generation of the cache.
    pub(crate) fn registered(&self, epoch: u64, now: u64, cache: Generation, life: Duration) {
        *self.registration() = Some(Registered {
            epoch,
            at: now,
            cache: cache.evict,
            life,
        });
    }

    fn registration(&self) -> std::sync::MutexGuard<'_, Option<Registered>> {
        self.registered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn is_held(&self, now: u64) -> bool {
        now < self.held_until.load(Ordering::SeqCst)
    }

    fn has(&self, label: &Label) -> bool {
        self.cells.iter().any(|cell| cell.label == *label)
    }

    fn hold(&self, until: u64) {
        self.held_until.fetch_max(until, Ordering::SeqCst);
    }

    fn evicted(&self) {
        self.evictions.fetch_add(1, Ordering::SeqCst);
    }
}

/// What an entry carries, or is going to: the labels its function gives it without having seen the value.
#[derive(Clone, Debug)]
pub(crate) struct Labelling {
    pub(crate) root: Arc<Root>,
    pub(crate) scope: Option<Arc<Cell>>,
    pub(crate) tags: Vec<Arc<Cell>>,
    /// The value will name more tags.
    pub(crate) late: bool,
}

impl Labelling {
    /// All cells, the cache's first.
    pub(crate) fn cells(&self) -> impl Iterator<Item = &Arc<Cell>> {
        let own = self.scope.iter().chain(&self.tags);
        self.root.cells.iter().chain(own)
    }

    /// Whether an eviction of `label` might concern the entry.
    pub(crate) fn may_carry(&self, label: &Label) -> bool {
        (self.late && label.kind() == LabelKind::Tag)
            || self.cells().any(|cell| cell.label == *label)
    }

    /// Whether stores under one of the labels are refused at `now`, as far as this process has heard.
    pub(crate) fn is_held(&self, now: u64) -> bool {
        self.root.is_held(now) || self.own().any(|cell| cell.is_held(now))
    }

    fn own(&self) -> impl Iterator<Item = &Arc<Cell>> {
        self.scope.iter().chain(&self.tags)
    }
}

/// The counts under which something was derived.
#[derive(Debug)]
pub(crate) struct Stamp {
    root: Arc<Root>,
    at_root: u64,
    own: Box<[(Arc<Cell>, u64)]>,
    pub(crate) epoch: u64,
}

impl Stamp {
    /// Whether none of the labels has been evicted since.
    #[inline]
    pub(crate) fn is_current(&self) -> bool {
        self.at_root == self.root.evictions.load(Ordering::SeqCst)
            && self
                .own
                .iter()
                .all(|(cell, at)| *at == cell.evictions.load(Ordering::SeqCst))
    }

    /// The same with more labels, under their counts of this moment.
    pub(crate) fn with(&self, more: &[Arc<Cell>]) -> Self {
        let own = self.own.iter().cloned();
        let more = more.iter().map(stamped);
        Self {
            root: Arc::clone(&self.root),
            at_root: self.at_root,
            own: own.chain(more).collect(),
            epoch: self.epoch,
        }
    }

    /// The labels it speaks of, but for those every entry has.
    pub(crate) fn own(&self) -> impl Iterator<Item = &Label> {
        self.own.iter().map(|(cell, _)| &cell.label)
    }
}

fn stamped(cell: &Arc<Cell>) -> (Arc<Cell>, u64) {
    (Arc::clone(cell), cell.evictions.load(Ordering::SeqCst))
}

/// All cells of a cache.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    table: RwLock<Table>,
    /// Evictions of tags, of any: entries may turn out to carry tags that nobody knew of when their load began.
    tag_evictions: AtomicU64,
}

#[derive(Debug, Default)]
struct Table {
    cells: HashMap<Label, Arc<Cell>>,
    roots: HashMap<Box<str>, Arc<Root>>,
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

    /// The counts of this moment.
    pub(crate) fn stamp(&self, labelling: &Labelling, epoch: u64) -> Stamp {
        Stamp {
            root: Arc::clone(&labelling.root),
            at_root: labelling.root.evictions.load(Ordering::SeqCst),
            own: labelling.own().map(stamped).collect(),
            epoch,
        }
    }

    /// How many evictions of tags there were.
    pub(crate) fn tag_evictions(&self) -> u64 {
        self.tag_evictions.load(Ordering::SeqCst)
    }

    /// Whether all regions that entries of this process have are such.
    pub(crate) fn all_regions(&self, such: impl Fn(&str) -> bool) -> bool {
        self.read().roots.keys().all(|region| such(region))
    }

    /// A label was evicted, here or elsewhere; stores under it are refused until `held_until`.
    pub(crate) fn evicted(&self, label: &Label, now: u64, held_until: u64) {
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
            cell.evicted();
        }
        if matches!(kind, LabelKind::Cache | LabelKind::Region) {
            let concerned = table.roots.values().filter(|root| root.has(label));
            concerned.for_each(|root| root.evicted());
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
        let held = |cell: &Arc<Cell>| cell.held_until.load(Ordering::SeqCst);
        let root = Arc::new(Root {
            region: region.into(),
            evictions: AtomicU64::new(0),
            held_until: AtomicU64::new(cells.iter().map(held).max().unwrap_or(0)),
            cells,
            registered: Mutex::new(None),
        });
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
    use super::{Cells, Label};

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
            cells.evicted(&label(1), 0, until);
        }
        assert_eq!(cells.read().held.len(), 1);
        assert!(cells.holds(&label(1), 29) && !cells.holds(&label(1), 30));
    }

    #[test]
    fn holds_that_are_over_are_forgotten() {
        let cells = Cells::default();
        for n in 0..50_000 {
            cells.evicted(&label(n), n as u64, n as u64 + 10);
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
            cells.evicted(&label(n), 0, 10);
        }
        assert!(cells.read().held.len() <= super::MOST_HELD);
        for root in [before, cells.root("made:later")] {
            assert!(root.is_held(9) && !root.is_held(10));
        }
    }

    #[test]
    fn a_hold_outlives_the_use_of_its_label() {
        let cells = Cells::default();
        cells.evicted(&Label::region("a"), 0, 10);
        for n in 0..5_000 {
            cells.cell(&label(n));
        }
        assert!(cells.root("a:b").is_held(9));
    }
}
