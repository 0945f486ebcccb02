//! One value in memory, and who may read it.

use std::ops::Deref;
use std::sync::Arc;

use super::birth::{Birth, Shared};
use super::tail::{LONG, More, Rest, SHORT};
use super::term::{Kind, Life, Record, Term};
use super::{Care, Reader};
use crate::entry::{CacheValue, Erased, Keep, Top};
use crate::key::Beginning;
use crate::tags::{Cells, Derived, Label};

/// A value in the memory tier. The map has it in its own slots: 56 bytes, and nothing else that is this entry's own does a hit read before the value, if its key is short.
/// A clone is as it was then.
#[derive(Clone)]
pub(crate) struct MemoryEntry {
    text: Beginning,
    life: Life,
    birth: Arc<Shared>,
    /// What memory has of the value.
    value: Erased,
    rest: Option<Arc<Rest>>,
}

/// What tells an entry from others that have its key before or after it. Addresses are used again, so another may look the same by chance if it also ends in the same
/// millisecond; its hits then call for a refresh earlier or later than they would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    birth: usize,
    value: usize,
    end: u64,
}

/// An entry that is to be made.
pub(super) struct Made<'a> {
    pub(super) text: &'a str,
    pub(super) birth: Arc<Shared>,
    pub(super) term: &'a Term,
    pub(super) size: usize,
    pub(super) more: Option<More>,
}

/// An entry, and what the map has beside it.
#[derive(Clone, Debug)]
pub(crate) struct Remembered {
    pub(crate) entry: MemoryEntry,
    pub(super) record: Record,
}

impl Remembered {
    /// An entry that was found, and what came with it.
    pub(crate) fn new(entry: MemoryEntry, record: Record) -> Self {
        Self { entry, record }
    }

    /// Its life; how long its load took is not known any more.
    pub(crate) fn term(&self) -> Term {
        self.life.term(self.record)
    }

    /// Whether `reader`, asking for `full_key` at `now`, may have the value if it carries the reader's tags, and if its policy allows a value past its
    /// ttl.
    pub(crate) fn is_kept_for(&self, reader: &Reader, full_key: Option<&str>, now: u64) -> bool {
        now < self.term().stale_until && self.is_of(reader, full_key)
    }
}

impl Deref for Remembered {
    type Target = MemoryEntry;

    fn deref(&self) -> &MemoryEntry {
        &self.entry
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
        let base = &self.entry.birth().base;
        let own = || {
            let moves = self.cells.moves();
            // What the birth does not know, the entry is asked: another line of memory.
            base.knows(moves) || self.entry.more().is_none_or(|more| more.is_current(moves))
        };
        base.is_current() && (!self.entry.life.is_rich() || own())
    }

    fn stands(&self) -> bool {
        let more = self.entry.more();
        self.entry.birth().base.stands() && more.is_none_or(|more| more.own.stands())
    }
}

/// An entry that is to go into memory, unless something comes between.
#[derive(Debug)]
pub(crate) struct NewEntry {
    pub(crate) entry: Remembered,
    /// It carries labels that were not known when its load began.
    pub(crate) late: bool,
}

impl MemoryEntry {
    pub(super) fn new(made: Made<'_>, value: &Erased) -> Self {
        let Made {
            text,
            birth,
            term,
            size,
            more,
        } = made;
        let value = (birth.birth.of.keeping.enter)(value);
        let bytes = text.as_bytes();
        let length = match u8::try_from(bytes.len()) {
            Ok(length) if bytes.len() <= SHORT => length,
            Ok(length) if bytes.len() <= SHORT + 32 && more.is_none() => length,
            _ => LONG,
        };
        let kind = match &more {
            None => Kind::Plain,
            Some(more) if more.full_key.is_none() => Kind::Rich,
            Some(_) => Kind::Digested,
        };
        Self {
            text: Beginning::of(bytes),
            life: Life::of(term, size, length, kind),
            birth,
            value,
            rest: Rest::of(bytes, more).map(Arc::new),
        }
    }

    /// Whether its key is this text, which begins so.
    #[inline]
    pub(super) fn has_text(&self, text: &[u8], beginning: Beginning) -> bool {
        let length = self.life.text();
        let as_long = usize::from(length) == text.len();
        if text.len() <= SHORT {
            as_long && self.text == beginning
        } else {
            (as_long || length == LONG) && self.text == beginning && self.has_end_of(text)
        }
    }

    /// Its key in two parts.
    pub(super) fn text(&self) -> [&[u8]; 2] {
        let length = self.life.text();
        let known = usize::from(length);
        if known <= SHORT {
            return [self.text.first(known), &[]];
        }
        let end = self.rest.as_ref().map_or(&[][..], |rest| rest.end());
        let twice = match length {
            LONG => 0,
            _ => SHORT + end.len() - known,
        };
        [self.text.first(SHORT), &end[twice..]]
    }

    /// Does something with its key in one part.
    pub(super) fn with_text<T>(&self, what: impl FnOnce(&[u8]) -> T) -> T {
        match self.text() {
            [all, []] => what(all),
            [start, rest] => {
                let mut room = [0; 128];
                match room.get_mut(..start.len() + rest.len()) {
                    Some(all) => {
                        all[..start.len()].copy_from_slice(start);
                        all[start.len()..].copy_from_slice(rest);
                        what(all)
                    }
                    None => what(&[start, rest].concat()),
                }
            }
        }
    }

    #[inline(never)]
    fn has_end_of(&self, text: &[u8]) -> bool {
        self.rest.as_ref().is_some_and(|rest| rest.is_end_of(text))
    }

    #[inline]
    fn more(&self) -> Option<&More> {
        self.rest.as_ref()?.more()
    }

    pub(crate) fn birth(&self) -> &Birth {
        &self.birth.birth
    }

    /// Length of its encoded form, bytes.
    pub(crate) fn size(&self) -> Option<usize> {
        let of = &self.birth().of;
        (of.ty.size)(&(of.keeping.leave)(&self.value)?, usize::MAX).ok()
    }

    /// What it counts, of as many bytes as are allowed.
    pub(super) fn weight(&self, record: Record) -> u64 {
        let text = self.text().map(<[u8]>::len);
        (text.iter().sum::<usize>() as u64 + self.life.size(record)).max(1)
    }

    pub(super) fn identity(&self) -> Identity {
        Identity {
            birth: Arc::as_ptr(&self.birth).addr(),
            value: Arc::as_ptr(&self.value).addr(),
            end: self.life.end(),
        }
    }

    /// What is an owner's of it, or has what is.
    pub(super) fn into_held(self) -> Erased {
        self.value
    }

    /// It counts as past its ttl.
    pub(super) fn expire(&self) {
        self.life.expire();
    }

    /// What its hits call for, if the site that has stored it has asked.
    #[inline]
    pub(crate) fn care(&self) -> Option<&Care> {
        self.more()?.care.get()
    }

    /// Whether what its hits call for is kept beside it, as far as was known when it was found.
    #[inline]
    pub(crate) fn is_watched_late(&self) -> bool {
        self.life.is_watched_late()
    }

    /// Whether it was kept before.
    pub(super) fn watched_late(&self) -> bool {
        self.life.watched_late()
    }

    /// Somebody asks later; another may have been first. Given back where there is no room for it.
    pub(super) fn watch(&self, care: Care) -> Result<(), Care> {
        match self.more() {
            Some(more) => {
                let _ = more.care.set(Box::new(care));
                Ok(())
            }
            None => Err(care),
        }
    }

    /// Its own labels.
    pub(crate) fn labels(&self) -> impl Iterator<Item = &Label> {
        let more = self.more();
        more.into_iter().flat_map(|more| more.own.labels())
    }

    /// It, with what is known of its labels now.
    #[inline]
    pub(crate) fn under<'a>(&'a self, cells: &'a Cells) -> Under<'a> {
        Under { entry: self, cells }
    }

    #[inline]
    pub(super) fn is_of(&self, reader: &Reader, full_key: Option<&str>) -> bool {
        let is_key = if self.life.is_digested() {
            self.more().and_then(|more| more.full_key.as_deref()) == full_key
        } else {
            full_key.is_none()
        };
        self.birth().is_of(reader) && is_key
    }

    /// Whether its value is `None`.
    pub(crate) fn is_absent(&self) -> bool {
        (self.birth().of.keeping.top)(&self.value) == Some(Top::None)
    }

    /// Whether `reader`, asking for `full_key` at `now`, may have the value if it carries the reader's tags.
    #[inline]
    pub(crate) fn is_for(&self, reader: &Reader, full_key: Option<&str>, now: u64) -> bool {
        self.life.is_fresh(now) && self.is_of(reader, full_key)
    }

    /// Whether it was born of a reader of this [fingerprint](Reader::fingerprint), is fresh and has no digested key: then it is for that reader, and has its
    /// tags if the key tells them. False decides nothing.
    #[inline]
    pub(crate) fn is_just_for(&self, fingerprint: u64, now: u64) -> bool {
        let life = &self.life;
        self.birth.fingerprint == fingerprint && life.is_fresh(now) && !life.is_digested()
    }

    /// Whether it carries the tags of a reader whose key tells them: then templates of one fingerprint are the same texts.
    #[inline]
    pub(crate) fn has_tags_of(&self, reader: &Reader) -> bool {
        reader.tags == 0 || reader.tags == self.birth().of.tags
    }

    /// Whether it carries these tags, the reader's, each given by its text.
    pub(crate) fn carries<T: AsRef<[u8]>>(
        &self,
        reader: &Reader,
        tags: impl Iterator<Item = T>,
    ) -> bool {
        let is = |label: &Label, tag: &T| label.as_str().as_bytes() == tag.as_ref();
        let carries = |tag: T| self.labels().any(|label| is(label, &tag));
        self.birth().of.tags_for(carries, reader, tags)
    }

    /// The value as the reader's type: itself, or through JSON as if it came from Redis.
    ///
    /// A function that returns `Product` and one that returns `Option<Product>` may share a key; both
    /// tiers then behave alike.
    ///
    /// A value that came from Redis may be less than what Redis has (its reader's type decides what is decoded), so
    /// another type's reader fetches its own. `T`, `Arc<T>` and `Option<Arc<T>>` are decoded alike: what one has stored is the others' as it is
    /// ([`counted`](Self::counted), [`own`](Self::own)).
    pub(crate) fn value_as(&self, reader: &Reader) -> Option<Erased> {
        let birth = self.birth();
        let value = (birth.of.keeping.leave)(&self.value);
        if birth.of.type_id() == reader.type_id() {
            return value;
        }
        if birth.promoted {
            return None;
        }
        let bytes = (birth.of.ty.encode)(&value?, usize::MAX).ok()?;
        (reader.ty.decode)(&bytes).ok()
    }

    /// The value, if it is a count of references and kept by what it counts: one more of them, and nothing else.
    #[inline]
    pub(crate) fn counted<V, K: Keep<V>>(&self) -> Option<V> {
        K::around(&self.value)
    }

    /// The value, if it is of this type and kept as it is; of what an `Arc` counts references to, that.
    #[inline]
    pub(crate) fn own<V: CacheValue>(&self) -> Option<&V> {
        self.value.downcast_ref()
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

impl std::fmt::Debug for MemoryEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryEntry")
            .field("text", &self.text)
            .field("life", &self.life)
            .finish_non_exhaustive()
    }
}
