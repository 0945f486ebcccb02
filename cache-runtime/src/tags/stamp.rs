//! What an entry carries, and the counts under which it was derived.

use std::sync::Arc;

use super::{Cell, Label, LabelKind, Root};

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
        self.root.cells().iter().chain(own)
    }

    /// Whether an eviction of `label` might concern the entry.
    pub(crate) fn may_carry(&self, label: &Label) -> bool {
        (self.late && label.kind() == LabelKind::Tag)
            || self.cells().any(|cell| cell.label() == label)
    }

    /// Whether stores under one of the labels are refused at `now`, as far as this process has heard.
    pub(crate) fn is_held(&self, now: u64) -> bool {
        self.root.is_held(now) || self.own().any(|cell| cell.is_held(now))
    }

    fn own(&self) -> impl Iterator<Item = &Arc<Cell>> {
        self.scope.iter().chain(&self.tags)
    }
}

/// Something that was derived under counts, in an epoch.
pub(crate) trait Derived {
    /// The epoch it was derived in.
    fn epoch(&self) -> u64;
    /// Whether none of its labels has been evicted since.
    fn is_current(&self) -> bool;
    /// Whether its labels were at most expired since: it is past its ttl, and not gone.
    fn stands(&self) -> bool;
}

/// The counts under which something was derived.
#[derive(Debug)]
pub(crate) struct Stamp {
    pub(crate) base: Base,
    own: Own,
}

/// The count that all entries of a region stand under, and the epoch.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    root: Arc<Root>,
    at_root: u64,
    pub(crate) epoch: u64,
    /// The [moves](super::Cells::moves) of all counts before those of the labels of its own were read.
    moves: u64,
}

/// Nobody has looked.
const UNKNOWN: u64 = u64::MAX;

/// Labels of one entry, each with its count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Own(Box<[(Arc<Cell>, u64)]>);

impl Base {
    #[inline]
    pub(crate) fn is_current(&self) -> bool {
        self.at_root == self.root.evictions()
    }

    pub(crate) fn stands(&self) -> bool {
        self.root.stands_since(self.at_root)
    }

    /// Whether two are of one moment.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.root, &other.root)
            && self.at_root == other.at_root
            && self.epoch == other.epoch
    }

    /// Whether no count at all has moved since those of its own labels were read: then none of these has.
    #[inline]
    pub(crate) fn knows(&self, moves: u64) -> bool {
        self.moves == moves
    }

    /// Whether it says no more than the other one may: what it knows was true of those labels as well.
    pub(crate) fn is_no_later(&self, other: &Self) -> bool {
        self.moves <= other.moves && other.moves != UNKNOWN
    }

    /// The same of what has no labels of its own.
    pub(crate) fn without_own(self) -> Self {
        Self { moves: 0, ..self }
    }

    /// Tells the regions of living stamps apart.
    pub(crate) fn root_id(&self) -> usize {
        Arc::as_ptr(&self.root) as usize
    }
}

impl Own {
    pub(crate) fn is_current(&self) -> bool {
        self.0.iter().all(|(cell, at)| *at == cell.evictions())
    }

    pub(crate) fn stands(&self) -> bool {
        self.0.iter().all(|(cell, at)| cell.stands_since(*at))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn labels(&self) -> impl Iterator<Item = &Label> {
        self.0.iter().map(|(cell, _)| cell.label())
    }
}

impl Stamp {
    /// The counts of this moment.
    pub(crate) fn of(labelling: &Labelling, epoch: u64) -> Self {
        Self {
            base: Base {
                root: Arc::clone(&labelling.root),
                at_root: labelling.root.evictions(),
                epoch,
                moves: UNKNOWN,
            },
            own: Own(labelling.own().map(stamped).collect()),
        }
    }

    /// The same, with the moves of all counts from before they were read.
    pub(crate) fn after(mut self, moves: u64) -> Self {
        self.base.moves = moves;
        self
    }

    /// What an entry has in common with others, and its own labels: these, and more under their counts of this moment.
    pub(crate) fn with(&self, more: &[Arc<Cell>]) -> (Base, Own) {
        let own = self.own.0.iter().cloned();
        let own = own.chain(more.iter().map(stamped)).collect();
        (self.base.clone(), Own(own))
    }

    /// The labels it speaks of, but for those every entry has.
    pub(crate) fn own(&self) -> impl Iterator<Item = &Label> {
        self.own.labels()
    }
}

impl Derived for Stamp {
    fn epoch(&self) -> u64 {
        self.base.epoch
    }

    fn is_current(&self) -> bool {
        self.base.is_current() && self.own.is_current()
    }

    fn stands(&self) -> bool {
        self.base.stands() && self.own.stands()
    }
}

fn stamped(cell: &Arc<Cell>) -> (Arc<Cell>, u64) {
    (Arc::clone(cell), cell.evictions())
}
