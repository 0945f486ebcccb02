//! The labels that every entry of a region has, under one count, and whether Redis knows of the region.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    Cell, Generation, Label, Manner,
    cell::{BELIEVED, count, stands_since},
};

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
    /// Of a region, with the cells of the cache and of the regions around it.
    pub(super) fn new(region: &str, cells: Box<[Arc<Cell>]>) -> Self {
        let held_until = cells.iter().map(|cell| cell.held_until()).max();
        Self {
            region: region.into(),
            evictions: AtomicU64::new(0),
            held_until: AtomicU64::new(held_until.unwrap_or(0)),
            cells,
            registered: Mutex::new(None),
        }
    }

    /// How often one of its labels was evicted.
    #[inline]
    pub(super) fn evictions(&self) -> u64 {
        self.evictions.load(Ordering::SeqCst)
    }

    /// Whether its labels were at most expired since the count was this.
    pub(super) fn stands_since(&self, count: u64) -> bool {
        stands_since(&self.evictions, count)
    }

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

    fn registration(&self) -> MutexGuard<'_, Option<Registered>> {
        self.registered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_held(&self, now: u64) -> bool {
        now < self.held_until.load(Ordering::SeqCst)
    }

    pub(super) fn has(&self, label: &Label) -> bool {
        self.cells.iter().any(|cell| cell.label() == label)
    }

    pub(super) fn hold(&self, until: u64) {
        self.held_until.fetch_max(until, Ordering::SeqCst);
    }

    pub(super) fn gone(&self, manner: Manner) {
        count(&self.evictions, manner);
    }
}
