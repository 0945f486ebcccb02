//! One value in memory, and who may read it.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use once_cell::race::OnceBox;

use super::birth::Birth;
use super::term::{Life, Term};
use super::text::KeyText;
use super::{Care, Reader};
use crate::entry::{CacheValue, Erased, Top};
use crate::tags::{Cells, Derived, Label, Own};

/// A value in the memory tier: one block of memory with its key and its value.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct MemoryEntry<V: ?Sized = dyn Any + Send + Sync> {
    pub(super) head: Head,
    value: V,
}

/// What an entry knows beside its value. What a hit reads comes last, beside the value, so that it is in one or two cache lines.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Head {
    pub(super) life: Life,
    /// What few entries have.
    pub(super) more: OnceBox<More>,
    pub(super) text: KeyText,
    pub(super) birth: Arc<Birth>,
}

/// What few entries have.
#[derive(Debug, Default)]
pub(super) struct More {
    /// Labels of its own.
    pub(super) own: Own,
    /// The moves of all counts when the own labels were last found current.
    pub(super) found_current: AtomicU64,
    /// The full text of a digested key.
    pub(super) full_key: Option<Box<str>>,
    /// What its hits call for, once a site has asked that wants to know.
    pub(super) care: OnceBox<Care>,
}

/// What is known of one entry alone.
#[derive(Debug, Default)]
pub(crate) struct Particulars<'a> {
    pub(crate) own: Own,
    pub(crate) full_key: Option<&'a str>,
    pub(crate) care: Option<Care>,
}

impl Particulars<'_> {
    /// `None`: nothing.
    pub(super) fn boxed(self) -> Option<Box<More>> {
        if self.own.is_empty() && self.full_key.is_none() && self.care.is_none() {
            return None;
        }
        let more = More {
            own: self.own,
            full_key: self.full_key.map(Into::into),
            found_current: AtomicU64::new(u64::MAX),
            care: OnceBox::new(),
        };
        if let Some(care) = self.care {
            let _ = more.care.set(Box::new(care));
        }
        Some(Box::new(more))
    }
}

/// An entry beside the table that knows its labels.
pub(crate) struct Under<'a> {
    entry: &'a MemoryEntry,
    cells: &'a Cells,
}

impl Derived for Under<'_> {
    #[inline]
    fn epoch(&self) -> u64 {
        self.entry.birth().base.epoch
    }

    #[inline]
    fn is_current(&self) -> bool {
        let own = || match self.entry.head.more.get() {
            Some(more) => more.is_current(self.cells),
            None => true,
        };
        self.entry.birth().base.is_current() && own()
    }

    fn stands(&self) -> bool {
        let more = self.entry.head.more.get();
        self.entry.birth().base.stands() && more.is_none_or(|more| more.own.stands())
    }
}

impl More {
    /// Its labels are looked at again only after some label was evicted: each is a line of memory of its own.
    #[inline]
    fn is_current(&self, cells: &Cells) -> bool {
        let moves = cells.moves();
        if self.found_current.load(Ordering::Relaxed) == moves {
            return true;
        }
        let current = self.own.is_current();
        if current {
            self.found_current.store(moves, Ordering::Relaxed);
        }
        current
    }
}

/// An entry that is to go into memory, unless something comes between.
#[derive(Debug)]
pub(crate) struct NewEntry {
    pub(crate) entry: Arc<MemoryEntry>,
    /// It carries labels that were not known when its load began.
    pub(crate) late: bool,
}

impl MemoryEntry {
    pub(super) fn enter<V: CacheValue>(head: Head, value: &Erased) -> Arc<Self> {
        let value = value
            .downcast_ref::<V>()
            .expect("a value travels with the functions of its own type")
            .clone();
        Arc::new(MemoryEntry { head, value })
    }

    pub(super) fn leave<V: CacheValue>(&self) -> Option<Erased> {
        let value = self.value.downcast_ref::<V>()?;
        Some(Arc::new(value.clone()))
    }

    pub(crate) fn birth(&self) -> &Birth {
        &self.head.birth
    }

    /// Length of the encoded form, bytes.
    pub(crate) fn size(&self) -> usize {
        self.head.life.size as usize
    }

    /// Its life; how long its load took is not known any more.
    pub(crate) fn term(&self) -> Term {
        self.head.life.term()
    }

    /// It counts as past its ttl.
    pub(crate) fn expire(&self) {
        self.head.life.expire();
    }

    /// What its hits call for, if somebody has asked.
    #[inline]
    pub(crate) fn care(&self) -> Option<&Care> {
        self.head.more.get()?.care.get()
    }

    /// Somebody asks; another may have been first.
    pub(crate) fn watch(&self, care: Care) {
        let more = self.head.more.get_or_init(Box::default);
        let _ = more.care.set(Box::new(care));
    }

    /// Its own labels.
    pub(crate) fn labels(&self) -> impl Iterator<Item = &Label> {
        let more = self.head.more.get();
        more.into_iter().flat_map(|more| more.own.labels())
    }

    /// It, with what is known of its labels now.
    #[inline]
    pub(crate) fn under<'a>(&'a self, cells: &'a Cells) -> Under<'a> {
        Under { entry: self, cells }
    }

    #[inline]
    fn is_of(&self, reader: &Reader, full_key: Option<&str>) -> bool {
        let more = self.head.more.get();
        let own_key = more.and_then(|more| more.full_key.as_deref());
        self.birth().is_of(reader) && own_key == full_key
    }

    /// Whether its value is `None`.
    pub(crate) fn is_absent(&self) -> bool {
        (self.birth().of.keeping.top)(self) == Some(Top::None)
    }

    /// Whether `reader`, asking for `full_key` at `now`, may have the value if it carries the reader's tags.
    #[inline]
    pub(crate) fn is_for(&self, reader: &Reader, full_key: Option<&str>, now: u64) -> bool {
        self.head.life.is_fresh(now) && self.is_of(reader, full_key)
    }

    /// The same for a reader whose policy may allow a value past its ttl.
    pub(crate) fn is_kept_for(&self, reader: &Reader, full_key: Option<&str>, now: u64) -> bool {
        now < self.term().stale_until && self.is_of(reader, full_key)
    }

    /// Whether it carries the tags of a reader whose key tells them: then templates of one fingerprint are the same texts.
    #[inline]
    pub(crate) fn has_tags_of(&self, reader: &Reader) -> bool {
        reader.tags == 0 || reader.tags == self.birth().of.tags
    }

    /// Whether it carries these tags, the reader's.
    pub(crate) fn carries<'t>(&self, reader: &Reader, tags: impl Iterator<Item = &'t str>) -> bool {
        let carries = |tag: &str| self.labels().any(|label| label.as_str() == tag);
        self.birth().of.tags_for(carries, reader, tags)
    }

    /// The value as the reader's type: itself, or through JSON as if it came from Redis.
    ///
    /// A function that returns `Product` and one that returns `Option<Product>` may share a key; both
    /// tiers then behave alike.
    ///
    /// A value that came from Redis may be less than what Redis has (its reader's type decides what is decoded), so
    /// another type's reader fetches its own.
    pub(crate) fn value_as(&self, reader: &Reader) -> Option<Erased> {
        let birth = self.birth();
        let value = (birth.of.keeping.leave)(self);
        if birth.of.type_id() == reader.type_id() {
            return value;
        }
        if birth.promoted {
            return None;
        }
        let bytes = (birth.of.ty.encode)(&value?, usize::MAX).ok()?;
        (reader.ty.decode)(&bytes).ok()
    }

    /// The value, if it is of this type.
    #[inline]
    pub(crate) fn own<V: CacheValue>(&self) -> Option<&V> {
        self.value.downcast_ref::<V>()
    }

    /// [`value_as`](Self::value_as) for a reader who knows the type: a clone of the value and nothing else.
    #[inline]
    pub(crate) fn typed<V: CacheValue>(&self, reader: &Reader) -> Option<V> {
        match self.own::<V>() {
            Some(value) => Some(value.clone()),
            None => self.value_as(reader)?.downcast_ref::<V>().cloned(),
        }
    }
}
