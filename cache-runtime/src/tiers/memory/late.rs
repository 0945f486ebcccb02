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
    /// Another may have been first. `is_there` tells whether the map still has the entry of a key.
    pub(super) fn set(
        &self,
        text: &[u8],
        of: Identity,
        care: Care,
        is_there: impl Fn(&[u8], &Identity) -> bool,
    ) {
        let mut cares = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if cares.len() >= FEW && cares.len() == cares.capacity() {
            cares.retain(|text, late| is_there(text, &late.of));
            // Half of it free, so that this is not done for each.
            let free = cares.len().max(FEW);
            cares.reserve(free);
        }
        if cares.get(text).is_none_or(|late| late.of != of) {
            let care = Arc::new(care);
            cares.insert(text.into(), Late { of, care });
        }
    }

    pub(super) fn get(&self, entry: &MemoryEntry) -> Option<Arc<Care>> {
        let cares = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let late = entry.with_text(|text| cares.get(text))?;
        (late.of == entry.identity()).then(|| Arc::clone(&late.care))
    }
}

#[cfg(test)]
impl LateCares {
    pub(super) fn len(&self) -> usize {
        self.0.read().unwrap().len()
    }
}
