//! What the hits of an entry call for, where the entry was made without room for it.
//!
//! **Problem.** Two functions may share a key, and only one of them wants something of its hits; an entry that the other has stored has no
//! particulars, and 8 bytes for those in every entry would be an eighth of it.
//!
//! **Decision.** It is kept in a table beside the map, under the entry's key, with what tells the entry from others that had the key before or have it
//! later. What belongs to entries that are gone leaves when the table would grow.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock};

use super::{Care, MemoryEntry, entry::Identity};

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
pub(super) struct LateCares(RwLock<HashMap<Box<[u8]>, Late, foldhash::fast::RandomState>>);

#[derive(Debug)]
struct Late {
    of: Identity,
    care: Arc<Care>,
}

impl LateCares {
    /// Another may have been first. `mark` has the map's entry remember that it is in the table, and tells whether it did; nothing if the map has another
    /// now, or none. `is_there` tells whether the map still has an entry. Whether it is in the table.
    pub(super) fn set(
        &self,
        text: &[u8],
        of: Identity,
        care: Care,
        mark: impl FnOnce() -> Option<bool>,
        is_there: impl Fn(&[u8], &Identity) -> bool,
    ) -> bool {
        let mut cares = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let Some(was_marked) = mark() else {
            return false;
        };
        if was_marked && cares.get(text).is_some_and(|late| late.of == of) {
            return true;
        }
        if cares.len() >= FEW && cares.len() == cares.capacity() {
            cares.retain(|text, late| is_there(text, &late.of));
            // Half of it free, so that this is not done for each.
            let free = cares.len().max(FEW);
            cares.reserve(free);
        }
        let care = Arc::new(care);
        cares.insert(text.into(), Late { of, care });
        true
    }

    pub(super) fn get(&self, entry: &MemoryEntry) -> Option<Arc<Care>> {
        entry.with_text(|text| {
            let cares = self.0.read().unwrap_or_else(PoisonError::into_inner);
            let late = cares.get(text)?;
            (late.of == entry.identity()).then(|| Arc::clone(&late.care))
        })
    }
}

#[cfg(test)]
impl LateCares {
    pub(super) fn len(&self) -> usize {
        self.0.read().unwrap().len()
    }
}
