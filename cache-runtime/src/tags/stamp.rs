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

/// The counts under which something was derived.
#[derive(Debug)]
pub(crate) struct Stamp {
    root: Arc<Root>,
    at_root: u64,
    own: Box<[(Arc<Cell>, u64)]>,
    pub(crate) epoch: u64,
}

impl Stamp {
    /// The counts of this moment.
    pub(crate) fn of(labelling: &Labelling, epoch: u64) -> Self {
        Self {
            root: Arc::clone(&labelling.root),
            at_root: labelling.root.evictions(),
            own: labelling.own().map(stamped).collect(),
            epoch,
        }
    }

    /// Whether none of the labels has been evicted since.
    #[inline]
    pub(crate) fn is_current(&self) -> bool {
        self.at_root == self.root.evictions()
            && self.own.iter().all(|(cell, at)| *at == cell.evictions())
    }

    /// Whether its labels were at most expired since: the entry is past its ttl, and not gone.
    pub(crate) fn stands(&self) -> bool {
        self.root.stands_since(self.at_root)
            && self.own.iter().all(|(cell, at)| cell.stands_since(*at))
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

    /// Whether two are of one moment, as far as the labels count that every entry of a region has.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.root, &other.root)
            && self.at_root == other.at_root
            && self.epoch == other.epoch
    }

    /// Tells the regions of living stamps apart.
    pub(crate) fn root_id(&self) -> usize {
        Arc::as_ptr(&self.root) as usize
    }

    /// The labels it speaks of, but for those every entry has.
    pub(crate) fn own(&self) -> impl Iterator<Item = &Label> {
        self.own.iter().map(|(cell, _)| cell.label())
    }
}

fn stamped(cell: &Arc<Cell>) -> (Arc<Cell>, u64) {
    (Arc::clone(cell), cell.evictions())
}
