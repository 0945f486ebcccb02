//! What the hits of an entry call for, where the entry was made without room for it.
//!
//! **Problem.** Two functions may share a key, and only one of them wants something of its hits; an entry that the other has stored has no
//! particulars, and 8 bytes for those in every entry would be an eighth of it.
//!
//! **Decision.** It is kept in a table beside the map, by the entry's address. The table holds on to the block of memory, not to the value, so an address
//! is not used again while it is there; what belongs to entries that are gone leaves when the table would grow.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use super::{Care, MemoryEntry};

/// What the hits of an entry call for.
pub(crate) enum CareOf<'a> {
    Own(&'a Care),
    Late(Arc<Care>),
}

impl Deref for CareOf<'_> {
    type Target = Care;

    fn deref(&self) -> &Care {
        match self {
            Self::Own(care) => care,
            Self::Late(care) => care,
        }
    }
}

/// Smaller tables are not looked through.
const FEW: usize = 64;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct LateCares(RwLock<HashMap<usize, Late, foldhash::fast::RandomState>>);

#[derive(Debug)]
struct Late {
    entry: Weak<MemoryEntry>,
    care: Arc<Care>,
}

impl LateCares {
    /// Another may have been first.
    pub(super) fn set(&self, entry: &Arc<MemoryEntry>, care: Care) {
        let mut cares = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if cares.len() >= FEW && cares.len() == cares.capacity() {
            cares.retain(|_, late| late.entry.strong_count() > 0);
            // Half of it free, so that this is not done for each.
            let free = cares.len().max(FEW);
            cares.reserve(free);
        }
        cares.entry(address(entry)).or_insert_with(|| Late {
            entry: Arc::downgrade(entry),
            care: Arc::new(care),
        });
    }

    pub(super) fn get(&self, entry: &Arc<MemoryEntry>) -> Option<Arc<Care>> {
        let cares = self.0.read().unwrap_or_else(PoisonError::into_inner);
        cares
            .get(&address(entry))
            .map(|late| Arc::clone(&late.care))
    }
}

#[cfg(test)]
impl LateCares {
    pub(super) fn len(&self) -> usize {
        self.0.read().unwrap().len()
    }
}

fn address(entry: &Arc<MemoryEntry>) -> usize {
    Arc::as_ptr(entry).cast::<()>() as usize
}
