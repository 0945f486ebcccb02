//! One value in memory, and who may read it.

use std::any::Any;
use std::sync::Arc;

use once_cell::race::OnceBox;

use super::birth::Birth;
use super::term::{Life, Term};
use super::text::KeyText;
use super::{Care, Reader};
use crate::entry::{CacheValue, Erased};

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
    /// What its hits call for, once a site has asked that wants to know.
    pub(super) care: OnceBox<Care>,
    pub(super) life: Life,
    pub(super) text: KeyText,
    pub(super) birth: Arc<Birth>,
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
        self.head.care.get()
    }

    /// Somebody asks; another may have been first.
    pub(crate) fn watch(&self, care: Care) {
        let _ = self.head.care.set(Box::new(care));
    }

    /// Whether its value is `None`.
    pub(crate) fn is_absent(&self) -> bool {
        let of = &self.birth().of;
        (of.keeping.leave)(self).is_some_and(|value| (of.ty.top)(&value) == crate::entry::Top::None)
    }

    /// Whether `reader`, asking for `full_key` at `now`, may have the value if it carries the reader's tags.
    #[inline]
    pub(crate) fn is_for(&self, reader: &Reader, full_key: Option<&str>, now: u64) -> bool {
        self.head.life.is_fresh(now) && self.birth().is_of(reader, full_key)
    }

    /// The same for a reader whose policy may allow a value past its ttl.
    pub(crate) fn is_kept_for(&self, reader: &Reader, full_key: Option<&str>, now: u64) -> bool {
        now < self.term().stale_until && self.birth().is_of(reader, full_key)
    }

    /// Whether it carries the tags of a reader whose key tells them: then templates of one fingerprint are the same texts.
    #[inline]
    pub(crate) fn has_tags_of(&self, reader: &Reader) -> bool {
        reader.tags == 0 || reader.tags == self.birth().of.tags
    }

    /// Whether it carries these tags, the reader's.
    pub(crate) fn carries<'t>(&self, reader: &Reader, tags: impl Iterator<Item = &'t str>) -> bool {
        let birth = self.birth();
        birth.of.tags_for(&birth.stamp, reader, tags)
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
