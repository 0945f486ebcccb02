//! What entries have in common that were born alike.
//!
//! **Problem.** Who may read an entry, and the counts and the epoch under which it was derived, are 120 bytes; and every hit compares them.
//!
//! **Decision.** Entries of one reader, root, count and epoch share them: as long as nothing is evicted, all entries of a function under one region. An
//! eviction of the region, or another epoch of the bus, begins another birth; the entries of the one before are out of use by then.
//! What one entry has alone is beside its value.

use std::{
    any::TypeId,
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::Reader;
use crate::tags::Base;

/// So many kinds of entries are remembered; beyond, they are forgotten and made again.
const MOST: usize = 1_024;

/// See the module.
#[derive(Debug)]
pub(crate) struct Birth {
    /// Its schema is the entry's.
    pub(crate) of: Reader,
    /// It came from Redis.
    pub(crate) promoted: bool,
    /// The count of its region's labels, and the epoch it was born in.
    pub(crate) base: Base,
}

impl Birth {
    /// Whether it is of an entry of this reader.
    #[inline]
    pub(super) fn is_of(&self, reader: &Reader) -> bool {
        let schema = self.of.schema.unwrap_or_default();
        reader.accepts(self.of.template, self.of.instance, schema)
    }

    fn kind(&self) -> Kind {
        Kind {
            template: self.of.template,
            instance: self.of.instance,
            schema: self.of.schema,
            tags: self.of.tags,
            late_tags: self.of.late_tags,
            ty: self.of.type_id(),
            promoted: self.promoted,
            root: self.base.root_id(),
        }
    }
}

#[derive(PartialEq, Eq, Hash)]
struct Kind {
    template: u64,
    instance: u64,
    schema: Option<u32>,
    tags: u64,
    late_tags: u64,
    ty: TypeId,
    promoted: bool,
    /// Its address; the birth that is remembered keeps it from being used again.
    root: usize,
}

/// The latest birth of each kind.
#[derive(Debug, Default)]
pub(super) struct Births(Mutex<HashMap<Kind, Arc<Birth>, foldhash::fast::RandomState>>);

impl Births {
    /// A birth like this one.
    pub(super) fn shared(&self, birth: Birth) -> Arc<Birth> {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = birth.kind();
        if let Some(known) = latest.get(&kind)
            && known.base.is_same(&birth.base)
        {
            return Arc::clone(known);
        }
        if latest.len() >= MOST && !latest.contains_key(&kind) {
            latest.clear();
        }
        let birth = Arc::new(birth);
        latest.insert(kind, Arc::clone(&birth));
        birth
    }
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kind").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Birth, Births, MOST, Reader};
    use crate::tags::{Cells, Label, Labelling, Manner, Stamp};

    fn labelling(cells: &Cells) -> Labelling {
        Labelling {
            root: cells.root("products"),
            scope: None,
            tags: Vec::new(),
            late: false,
        }
    }

    fn birth(labelling: &Labelling, epoch: u64, template: u64) -> Birth {
        Birth {
            of: Reader {
                template,
                schema: Some(0),
                ..Reader::of::<u8>()
            },
            promoted: false,
            base: Stamp::of(labelling, epoch).base,
        }
    }

    #[test]
    fn entries_share_a_birth_until_something_is_evicted_or_missed() {
        let (cells, births) = (Cells::default(), Births::default());
        let labelling = labelling(&cells);
        let born = |epoch| births.shared(birth(&labelling, epoch, 7));
        let first = born(2);
        assert!(Arc::ptr_eq(&first, &born(2)));
        let later = born(4);
        assert!(!Arc::ptr_eq(&first, &later) && Arc::ptr_eq(&later, &born(4)));
        cells.gone(&Label::region("products"), Manner::Evict, 0, 0);
        let last = born(4);
        assert!(last.base.is_current() && !later.base.is_current());
        assert!(Arc::ptr_eq(&last, &born(4)));
        assert!(!Arc::ptr_eq(&last, &births.shared(birth(&labelling, 4, 8))));
    }

    #[test]
    fn kinds_are_bounded() {
        let (cells, births) = (Cells::default(), Births::default());
        let labelling = labelling(&cells);
        for template in 0..3 * MOST as u64 {
            let _ = births.shared(birth(&labelling, 2, template));
        }
        assert!(births.0.lock().unwrap().len() <= MOST);
    }
}
