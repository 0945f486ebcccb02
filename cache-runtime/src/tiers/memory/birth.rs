//! What entries have in common that were born alike.
//!
//! **Problem.** Who may read an entry, and the counts and the epoch under which it was derived, are 120 bytes; and every hit compares them.
//!
//! **Decision.** Entries of one reader, root, count and epoch share them: as long as nothing is evicted, all entries of a function under one region. An
//! eviction of the region, or another epoch of the bus, begins another birth; the entries of the one before are out of use by then.
//! What one entry has alone is beside its value.
//!
//! That is another line of memory, and a hit has to know that the labels in it were not evicted. As long as no label of any entry is, the birth says so: it
//! knows how many evictions there were before its entries were loaded. After one, entries are asked themselves, until enough of them were born to be worth another birth.

use std::{
    any::TypeId,
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::Reader;
use crate::tags::Base;

/// So many kinds of entries are remembered; beyond, they are forgotten and made again.
const MOST: usize = 1_024;

/// So many entries share a birth before there is another that only knows of a later eviction: a hundredth of what they have.
const SHARED_BY: u32 = 64;

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

/// A birth that entries share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) birth: Birth,
    /// See [`Reader::fingerprint`].
    pub(super) fingerprint: u64,
}

impl Birth {
    /// Whether it is of an entry of this reader.
    #[inline]
    pub(super) fn is_of(&self, reader: &Reader) -> bool {
        let schema = self.of.schema.unwrap_or_default();
        reader.accepts(self.of.template, self.of.instance, schema)
    }

    fn kind(&self, labelled: bool) -> Kind {
        Kind {
            labelled,
            template: self.of.template,
            instance: self.of.instance,
            schema: self.of.schema,
            tags: self.of.tags,
            late_tags: self.of.late_tags,
            ty: self.of.type_id(),
            way: (self.of.keeping.way)(),
            promoted: self.promoted,
            root: self.base.root_id(),
        }
    }
}

#[derive(PartialEq, Eq, Hash)]
struct Kind {
    /// Its entries have labels of their own.
    labelled: bool,
    template: u64,
    instance: u64,
    schema: Option<u32>,
    tags: u64,
    late_tags: u64,
    ty: TypeId,
    way: TypeId,
    promoted: bool,
    /// Its address; the birth that is remembered keeps it from being used again.
    root: usize,
}

/// The latest birth of each kind.
#[derive(Debug, Default)]
pub(super) struct Births(Mutex<HashMap<Kind, Latest, foldhash::fast::RandomState>>);

#[derive(Debug)]
struct Latest {
    birth: Arc<Shared>,
    shared_by: u32,
}

impl Latest {
    /// Whether an entry of this birth may be said to be of the latest.
    fn is_as_good(&self, birth: &Birth) -> bool {
        let (base, other) = (&self.birth.birth.base, &birth.base);
        // One that knows of a later eviction would answer for labels that were read before it.
        let is_worth_another = self.shared_by >= SHARED_BY && !other.is_no_later(base);
        base.is_same(other) && base.is_no_later(other) && !is_worth_another
    }
}

impl Births {
    /// A birth like this one, for an entry that has labels of its own or not.
    pub(super) fn shared(&self, mut birth: Birth, labelled: bool) -> Arc<Shared> {
        if !labelled {
            birth.base = birth.base.without_own();
        }
        let mut births = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = birth.kind(labelled);
        if let Some(latest) = births.get_mut(&kind)
            && latest.is_as_good(&birth)
        {
            latest.shared_by = latest.shared_by.saturating_add(1);
            return Arc::clone(&latest.birth);
        }
        if births.len() >= MOST && !births.contains_key(&kind) {
            births.clear();
        }
        let birth = Arc::new(Shared {
            fingerprint: birth.of.fingerprint(),
            birth,
        });
        let latest = Latest {
            birth: Arc::clone(&birth),
            shared_by: 1,
        };
        births.insert(kind, latest);
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

    use super::{Birth, Births, MOST, Reader, SHARED_BY};
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
        let born = |epoch| births.shared(birth(&labelling, epoch, 7), false);
        let first = born(2);
        assert!(Arc::ptr_eq(&first, &born(2)));
        let later = born(4);
        assert!(!Arc::ptr_eq(&first, &later) && Arc::ptr_eq(&later, &born(4)));
        cells.gone(&Label::region("products"), Manner::Evict, 0, 0);
        let last = born(4);
        assert!(last.birth.base.is_current() && !later.birth.base.is_current());
        assert!(Arc::ptr_eq(&last, &born(4)));
        assert!(!Arc::ptr_eq(
            &last,
            &births.shared(birth(&labelling, 4, 8), false)
        ));
    }

    #[test]
    fn a_birth_answers_for_no_label_that_was_read_before_an_eviction_it_knows_of() {
        let (cells, births) = (Cells::default(), Births::default());
        let labelling = labelling(&cells);
        let born = |moves| {
            let birth = Birth {
                base: Stamp::of(&labelling, 2).after(moves).base,
                ..birth(&labelling, 2, 7)
            };
            births.shared(birth, true)
        };
        let first = born(5);
        assert!(first.birth.base.knows(5) && !first.birth.base.knows(6));
        // A few more are not worth another, and say less than they could.
        let more: Vec<_> = (1..SHARED_BY).map(|_| born(6)).collect();
        assert!(more.iter().all(|more| Arc::ptr_eq(more, &first)));
        let second = born(6);
        assert!(second.birth.base.knows(6) && Arc::ptr_eq(&second, &born(7)));
        let late = born(5);
        assert!(late.birth.base.knows(5) && !late.birth.base.knows(6));
    }

    #[test]
    fn kinds_are_bounded() {
        let (cells, births) = (Cells::default(), Births::default());
        let labelling = labelling(&cells);
        for template in 0..3 * MOST as u64 {
            let _ = births.shared(birth(&labelling, 2, template), false);
        }
        assert!(births.0.lock().unwrap().len() <= MOST);
    }
}
