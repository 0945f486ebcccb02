//! How the map finds an entry, and how a hit reads it where it is.
//!
//! **Problem.** The map gives values away as clones. A clone of an entry is a reference counted up and down: two writes to a line that every other
//! processor reads too, in a hit that has nothing else to write but the count of the value itself.
//!
//! **Decision.** Entries are the keys of the map, which has no values. Whoever looks for one compares it, under the lock, and looks at it then and
//! there. An entry that is found is equal to exactly one probe, so it is looked at once.

use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use quick_cache::Equivalent;

use super::{KeyHash, MemoryEntry};

/// An entry as the map holds it: equal by the text of its key.
#[derive(Debug)]
pub(super) struct Kept(pub(super) Arc<MemoryEntry>);

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.0.head.text.as_bytes() == other.0.head.text.as_bytes()
    }
}

impl Eq for Kept {}

impl Hash for Kept {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.0.head.text.as_bytes());
    }
}

/// A key as a caller has it, and what is to be done with its entry.
pub(super) struct Probe<'a, F> {
    pub(super) hash: KeyHash,
    pub(super) text: &'a [u8],
    /// Called at most once.
    pub(super) look: F,
}

impl<F> Hash for Probe<'_, F> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash.0);
    }
}

impl<F: Fn(&Arc<MemoryEntry>)> Equivalent<Kept> for Probe<'_, F> {
    #[inline]
    fn equivalent(&self, Kept(entry): &Kept) -> bool {
        let is_it = entry.head.text.is(self.text);
        if is_it {
            (self.look)(entry);
        }
        is_it
    }
}

/// The hash of key texts, seeded at random; one that was computed before is taken as it is.
#[derive(Clone, Debug, Default)]
pub(super) struct TextHash(foldhash::fast::RandomState);

impl TextHash {
    #[inline]
    pub(super) fn of(&self, text: &[u8]) -> u64 {
        let mut hasher = self.0.build_hasher();
        hasher.write(text);
        hasher.finish()
    }
}

impl BuildHasher for TextHash {
    type Hasher = TextHasher;

    #[inline]
    fn build_hasher(&self) -> TextHasher {
        TextHasher {
            of: self.clone(),
            hash: 0,
        }
    }
}

/// See [`TextHash`].
pub(super) struct TextHasher {
    of: TextHash,
    hash: u64,
}

impl Hasher for TextHasher {
    #[inline]
    fn finish(&self) -> u64 {
        self.hash
    }

    #[inline]
    fn write(&mut self, text: &[u8]) {
        self.hash = self.of.of(text);
    }

    #[inline]
    fn write_u64(&mut self, hash: u64) {
        self.hash = hash;
    }
}
