//! How the map finds an entry, and how a hit reads it where it is.
//!
//! **Problem.** The map gives values away as clones. A clone of an entry is references counted up and down: writes to lines that every other
//! processor reads too, in a hit that has nothing else to write but the count of the value itself.
//!
//! **Decision.** Entries are the keys of the map. Its values are what no hit asks for, in 5 bytes that the map would leave empty. Whoever looks for one compares it, under the lock, and looks at it then and
//! there. A probe is equal to one entry at most, and the map asks under the lock of a part of it and stops at the first that is equal: what is found is looked at once. That is
//! how the map is made and not what it promises, so its version is pinned and a test holds it.

use std::hash::{BuildHasher, Hash, Hasher};

use quick_cache::Equivalent;

use super::{KeyHash, MemoryEntry};
use crate::key::Beginning;

/// An entry as the map holds it: equal by the text of its key.
#[derive(Clone, Debug)]
pub(super) struct Kept(pub(super) MemoryEntry);

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.0.text() == other.0.text()
    }
}

impl Eq for Kept {}

impl Hash for Kept {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.with_text(|text| state.write(text));
    }
}

/// A key as a caller has it, and what is to be done with its entry.
pub(super) struct Probe<'a, F> {
    pub(super) hash: KeyHash,
    pub(super) text: &'a [u8],
    /// Of the text.
    pub(super) beginning: Beginning,
    /// Called at most once.
    pub(super) look: F,
}

impl<F> Hash for Probe<'_, F> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash.0);
    }
}

impl<F: Fn(&MemoryEntry)> Equivalent<Kept> for Probe<'_, F> {
    #[inline]
    fn equivalent(&self, Kept(entry): &Kept) -> bool {
        let is_it = entry.has_text(self.text, self.beginning);
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
    pub(super) fn of(&self, text: &[u8], beginning: Beginning) -> u64 {
        debug_assert_eq!(beginning, Beginning::of(text));
        let mut hasher = self.0.build_hasher();
        // No key has a NUL, so the zeros behind a short one tell its length.
        if text.len() <= Beginning::BYTES {
            hasher.write_u128(beginning.number());
        } else {
            hasher.write(text);
        }
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
        self.hash = self.of.of(text, Beginning::of(text));
    }

    #[inline]
    fn write_u64(&mut self, hash: u64) {
        self.hash = hash;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::hash::{Hash, Hasher};
    use std::sync::Arc;

    use quick_cache::sync::Cache;

    use super::{Beginning, Kept, KeyHash, MemoryEntry, Probe, TextHash};
    use crate::entry::Erased;
    use crate::tags::{Cells, Labelling, Stamp};
    use crate::tiers::memory::{Birth, Memory, MemoryTier, Particulars, Reader, Term};

    fn entry(text: &str) -> MemoryEntry {
        let labelling = Labelling {
            root: Cells::default().root(""),
            scope: None,
            tags: Vec::new(),
            late: false,
        };
        let birth = Birth {
            of: Reader::of::<u8>(),
            promoted: false,
            base: Stamp::of(&labelling, 2).base,
        };
        let value: Erased = Arc::new(7_u8);
        let term = Term::new(0, (100, 100), u64::MAX, 0);
        let own = Particulars::default();
        let tier = MemoryTier::new(Memory::new());
        tier.entry(text, birth, own, &term, 1, &value).entry
    }

    #[test]
    fn what_is_found_is_looked_at_once_and_nothing_else_is() {
        let hashes = TextHash::default();
        let map = Cache::<Kept, (), _, _>::with(
            10_000,
            10_000,
            quick_cache::UnitWeighter,
            hashes.clone(),
            quick_cache::sync::DefaultLifecycle::default(),
        );
        for n in 0..900 {
            map.insert(Kept(entry(&n.to_string())), ());
        }
        let looks = Cell::new(0);
        let probe = |hash: &str, text: &str| {
            looks.set(0);
            let look = |found: &MemoryEntry| {
                assert!(found.has_text(text.as_bytes(), Beginning::of(text.as_bytes())));
                looks.set(looks.get() + 1);
            };
            let hash = KeyHash(hashes.of(hash.as_bytes(), Beginning::of(hash.as_bytes())));
            let text = text.as_bytes();
            let beginning = Beginning::of(text);
            let probe = Probe {
                hash,
                text,
                beginning,
                look,
            };
            map.get(&probe);
            let got = looks.replace(0);
            map.peek(&probe);
            assert_eq!(looks.get(), got);
            got
        };
        for n in 0..900 {
            let text = n.to_string();
            assert_eq!(probe(&text, &text), 1);
            assert_eq!(probe(&text, "another of its hash"), 0);
        }
        assert_eq!(probe("none", "none"), 0);
    }

    #[test]
    fn an_entry_and_a_probe_for_it_have_one_hash() {
        let hashes = TextHash::default();
        let hash = |it: &dyn Fn(&mut super::TextHasher)| {
            let mut hasher = std::hash::BuildHasher::build_hasher(&hashes);
            it(&mut hasher);
            hasher.finish()
        };
        let (kept, hash_of_text) = (
            Kept(entry("a:b")),
            KeyHash(hashes.of(b"a:b", Beginning::of(b"a:b"))),
        );
        let probe = Probe {
            hash: hash_of_text,
            text: b"a:b",
            beginning: Beginning::of(b"a:b"),
            look: (),
        };
        assert_eq!(
            hash(&|state| kept.hash(state)),
            hash(&|state| probe.hash(state))
        );
    }
}
