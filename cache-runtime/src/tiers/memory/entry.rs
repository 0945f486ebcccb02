//! One value in memory, and who may read it.

use std::any::TypeId;
use std::sync::atomic::{AtomicU64, Ordering};

use once_cell::race::OnceBox;

use super::Care;
use crate::entry::{CacheValue, Erased, ValueType};
use crate::tags::Stamp;

/// What a reader is, so that it never gets another reader's value under the same key text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader {
    /// Fingerprint of the key's template; zero says nothing.
    pub(crate) template: u64,
    /// Fingerprint of the generic instantiation; zero says nothing.
    pub(crate) instance: u64,
    /// Schema version of the value; `None` reads every version.
    pub(crate) schema: Option<u32>,
    /// Fingerprint of the templates of its tags; zero: it has none.
    pub(crate) tags: u64,
    /// Of those whose text waits for the value.
    pub(crate) late_tags: u64,
    /// The value's type.
    pub(crate) ty: &'static ValueType,
}

impl Reader {
    /// Whether an entry of `template`, `instance` and `schema` is for this reader.
    pub(crate) fn accepts(&self, template: u64, instance: u64, schema: u32) -> bool {
        agree(self.template, template)
            && agree(self.instance, instance)
            && self.schema.is_none_or(|wanted| wanted == schema)
    }

    /// Whether two readers may share one load.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.template == other.template
            && self.instance == other.instance
            && self.schema == other.schema
            && self.type_id() == other.type_id()
    }

    /// Whether what this reader has loaded under `stamp` carries `tags`, those that `other` knows before it sees a value, and names the tags of
    /// a value as `other` does.
    pub(crate) fn tags_for<'t>(
        &self,
        stamp: &Stamp,
        other: &Self,
        mut tags: impl Iterator<Item = &'t str>,
    ) -> bool {
        let carries = |tag: &str| stamp.own().any(|label| label.as_str() == tag);
        (other.late_tags == 0 || other.late_tags == self.late_tags) && tags.all(carries)
    }

    pub(crate) fn type_id(&self) -> TypeId {
        (self.ty.id)()
    }
}

/// Fingerprints agree unless both say something different.
const fn agree(one: u64, other: u64) -> bool {
    one == 0 || other == 0 || one == other
}

/// A value in the memory tier.
#[derive(Debug)]
pub(crate) struct MemoryEntry {
    pub(crate) value: Erased,
    pub(crate) of: Reader,
    pub(crate) schema: u32,
    /// It came from Redis.
    pub(crate) promoted: bool,
    /// The full text of a digested key.
    pub(crate) full_key: Option<Box<str>>,
    /// The labels it carries, and the epoch it was born in.
    pub(crate) stamp: Stamp,
    /// It carries labels that were not known when its load began.
    pub(crate) late: bool,
    /// The value is `None`.
    pub(crate) absent: bool,
    /// Length of the encoded form, bytes.
    pub(crate) size: usize,
    pub(crate) term: Term,
    /// What its hits call for, once a site has asked that wants to know.
    pub(crate) care: OnceBox<Care>,
}

/// The life of an entry in memory: milliseconds of the memory clock.
#[derive(Debug)]
pub(crate) struct Term {
    pub(crate) born: u64,
    /// Until then it is served by itself; zero when it was expired.
    fresh_until: AtomicU64,
    /// Until then a policy may allow to serve it.
    pub(crate) stale_until: u64,
    /// When its ttl ends, whatever memory keeps.
    pub(crate) ttl_until: u64,
    /// How long its load took, microseconds.
    pub(crate) took: u32,
}

impl Term {
    /// Of an entry whose ttl ends at `ttl_until` and whose window at `window_until`, kept no longer than `kept_until`.
    pub(crate) fn new(
        born: u64,
        (ttl_until, window_until): (u64, u64),
        kept_until: u64,
        took: u32,
    ) -> Self {
        Self {
            born,
            fresh_until: AtomicU64::new(ttl_until.min(kept_until)),
            stale_until: window_until.max(ttl_until).min(kept_until),
            ttl_until,
            took,
        }
    }

    /// Until when it is served by itself.
    #[inline]
    pub(crate) fn fresh_until(&self) -> u64 {
        self.fresh_until.load(Ordering::Relaxed)
    }

    /// It counts as past its ttl.
    pub(crate) fn expire(&self) {
        self.fresh_until.store(0, Ordering::SeqCst);
    }
}

impl MemoryEntry {
    /// Whether `reader`, asking for `full_key` at `now`, may have the value if it carries the reader's tags.
    pub(crate) fn is_for(&self, reader: &Reader, full_key: Option<&str>, now: u64) -> bool {
        now < self.term.fresh_until() && self.is_of(reader, full_key)
    }

    /// The same for a reader whose policy may allow a value past its ttl.
    pub(crate) fn is_kept_for(&self, reader: &Reader, full_key: Option<&str>, now: u64) -> bool {
        now < self.term.stale_until && self.is_of(reader, full_key)
    }

    fn is_of(&self, reader: &Reader, full_key: Option<&str>) -> bool {
        reader.accepts(self.of.template, self.of.instance, self.schema)
            && self.full_key.as_deref() == full_key
    }

    /// Whether it carries the tags of a reader whose key tells them: then templates of one fingerprint are the same texts.
    pub(crate) fn has_tags_of(&self, reader: &Reader) -> bool {
        reader.tags == 0 || reader.tags == self.of.tags
    }

    /// Whether it carries these tags, the reader's.
    pub(crate) fn carries<'t>(&self, reader: &Reader, tags: impl Iterator<Item = &'t str>) -> bool {
        self.of.tags_for(&self.stamp, reader, tags)
    }

    /// The value as the reader's type: itself, or through JSON as if it came from Redis.
    ///
    /// A function that returns `Product` and one that returns `Option<Product>` may share a key; both
    /// tiers then behave alike.
    ///
    /// A value that came from Redis may be less than what Redis has (its reader's type decides what is decoded), so
    /// another type's reader fetches its own.
    pub(crate) fn value_as(&self, reader: &Reader) -> Option<Erased> {
        if self.of.type_id() == reader.type_id() {
            return Some(self.value.clone());
        }
        if self.promoted {
            return None;
        }
        let bytes = (self.of.ty.encode)(&self.value, usize::MAX).ok()?;
        (reader.ty.decode)(&bytes).ok()
    }

    /// [`value_as`](Self::value_as) for a reader who knows the type: a clone of the value and nothing else.
    pub(crate) fn typed<V: CacheValue>(&self, reader: &Reader) -> Option<V> {
        match self.value.downcast_ref::<V>() {
            Some(value) => Some(value.clone()),
            None => self.value_as(reader)?.downcast_ref::<V>().cloned(),
        }
    }
}
