//! The memory tier: typed values in this process.
//!
//! A hit is one probe of the map, a comparison of the key and of what the reader is (template,
//! instantiation, tags, schema version, type), and a reading of the clock. Entries carry their own deadlines;
//! nothing ticks, and what is dead leaves when its place is needed. The map (`quick_cache`) bounds entries or
//! bytes and evicts by S3-FIFO, so a scan does not wash out what is hot.

mod birth;
mod care;
mod config;
mod entry;
mod late;
mod probe;
mod pushed_out;
mod reader;
mod tail;
mod term;

use std::cell::Cell;
use std::sync::Arc;

use quick_cache::{OptionsBuilder, Weighter, sync::Cache};

use crate::entry::Erased;
use crate::key::Beginning;
use birth::Births;
use entry::{Identity, Made};
use late::LateCares;
use probe::{Kept, Probe, TextHash};
use pushed_out::HandOut;

pub(crate) use birth::Birth;
pub(crate) use care::{Care, Due, UNWATCHED, Wants};
pub use config::Memory;
pub(crate) use entry::{MemoryEntry, NewEntry, Remembered};
pub(crate) use late::CareOf;
pub(crate) use pushed_out::PushedOut;
pub(crate) use reader::Reader;
pub(crate) use tail::Particulars;
pub(crate) use term::{Record, Term};

/// The map and its bounds.
pub(crate) struct MemoryTier {
    map: Map,
    hasher: TextHash,
    births: Births,
    late_cares: LateCares,
    /// No entry lives longer where other processes write the same data.
    pub(crate) config: Memory,
}

/// Of how many keys that were pushed out the map knows that they were here, as a share of its bound: each has a slot, as large as an entry's. With half, as is usual,
/// no more calls are hits, but where what is popular moves on quickly through a cache much too small for it (decision 0021).
const REMEMBERED: f64 = 0.25;

/// An entry is its own key.
type Map = Cache<Kept, Record, Weigh, TextHash, HandOut>;

/// The hash of a key text, computed once per call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyHash(pub(crate) u64);

impl MemoryTier {
    pub(crate) fn new(config: Memory) -> Self {
        let weigh = Weigh {
            bytes: config.bytes().is_some(),
        };
        let (items, weight) = config.bounds();
        let options = OptionsBuilder::new()
            .estimated_items_capacity(items)
            .weight_capacity(weight)
            .ghost_allocation(REMEMBERED)
            .build()
            .expect("all that has no default is given");
        let hasher = TextHash::default();
        let map = Cache::with_options(options, weigh, hasher.clone(), HandOut);
        // A part of the map that grows moves its entries while hits wait, for tens of milliseconds if there are millions.
        map.reserve(config.reserved());
        Self {
            map,
            hasher,
            births: Births::default(),
            late_cares: LateCares::default(),
            config,
        }
    }

    #[inline]
    pub(crate) fn hash(&self, text: &[u8]) -> KeyHash {
        self.hash_begun(text, Beginning::of(text))
    }

    /// The same of a text whose beginning is known.
    #[inline]
    pub(crate) fn hash_begun(&self, text: &[u8], beginning: Beginning) -> KeyHash {
        KeyHash(self.hasher.of(text, beginning))
    }

    /// The entry under a key, alive or not, as it is now.
    pub(crate) fn get(&self, hash: KeyHash, text: &[u8]) -> Option<Remembered> {
        let found = Cell::new(None);
        let record = self.look(hash, text, |entry| found.set(Some(entry.clone())))?;
        Some(Remembered::new(found.into_inner()?, record))
    }

    /// Looks at the entry under a key, alive or not, where it is, once: under the lock of a part of the map. So `look` neither locks nor runs an
    /// owner's code. Then tells what is kept beside it.
    #[inline]
    pub(crate) fn look(
        &self,
        hash: KeyHash,
        text: &[u8],
        look: impl Fn(&MemoryEntry),
    ) -> Option<Record> {
        self.look_begun(hash, (text, Beginning::of(text)), look)
    }

    /// The same for a text whose beginning is known.
    // A call of its own is a twentieth of a hit.
    #[inline(always)]
    pub(crate) fn look_begun(
        &self,
        hash: KeyHash,
        (text, beginning): (&[u8], Beginning),
        look: impl Fn(&MemoryEntry),
    ) -> Option<Record> {
        self.map.get(&Probe {
            hash,
            text,
            beginning,
            look,
        })
    }

    /// What the hits of an entry call for, if somebody has asked.
    pub(crate) fn care<'a>(&self, entry: &'a MemoryEntry) -> Option<CareOf<'a>> {
        if let Some(care) = entry.care() {
            return Some(CareOf::Own(care));
        }
        if !entry.is_watched_late() {
            return None;
        }
        self.late_cares.get(entry).map(CareOf::Late)
    }

    /// Somebody asks what the hits of an entry call for; another may have been first.
    pub(crate) fn watch(&self, entry: &MemoryEntry, care: Care) {
        let Err(care) = entry.watch(care) else {
            return;
        };
        let of = entry.identity();
        entry.with_text(|text| {
            // What is gone has no more hits; what has its place has hits of its own.
            let mark = || self.peek(text, &of, MemoryEntry::watched_late);
            let is_there = |text: &[u8], of: &Identity| self.peek(text, of, |_| ()).is_some();
            if self.late_cares.set(text, of, care, mark, is_there) {
                entry.watched_late();
            }
        });
    }

    /// Looks at the entry under a key if it is this one, without making it look used.
    fn peek<T>(&self, text: &[u8], of: &Identity, look: impl Fn(&MemoryEntry) -> T) -> Option<T> {
        let seen = Cell::new(None);
        let found = |entry: &MemoryEntry| {
            if entry.identity() == *of {
                seen.set(Some(look(entry)));
            }
        };
        self.map.peek(&probe(self.hash(text), text, found));
        seen.into_inner()
    }

    /// An entry under a key text, for [`insert`](Self::insert).
    pub(crate) fn entry(
        &self,
        text: &str,
        birth: Birth,
        own: Particulars<'_>,
        term: &Term,
        size: usize,
        value: &Erased,
    ) -> Remembered {
        let labelled = !own.own.is_empty();
        let made = Made {
            text,
            birth: self.births.shared(birth, labelled),
            term,
            size,
            more: own.kept(),
        };
        Remembered::new(MemoryEntry::new(made, value), Record::of(term, size))
    }

    /// Inserts an entry. What it pushes out is returned, to be dropped where no lock is held: dropping a value runs
    /// its owner's code.
    pub(crate) fn insert(&self, remembered: Remembered) -> PushedOut {
        let Remembered { entry, record } = remembered;
        let mut pushed_out = PushedOut::default();
        if self.config.is_off() {
            pushed_out.take(Kept(entry));
        } else {
            self.map
                .insert_with_lifecycle(Kept(entry), record, &mut pushed_out);
        }
        pushed_out
    }

    /// Takes an entry out; its value is to be dropped where no lock is held.
    pub(crate) fn remove(&self, hash: KeyHash, text: &str) -> Option<Erased> {
        let probe = probe(hash, text.as_bytes(), |_: &MemoryEntry| ());
        let (Kept(entry), _) = self.map.remove(&probe)?;
        Some(entry.into_held())
    }

    /// Takes every entry out whose key text is chosen; what is returned is to be dropped where no lock is held.
    pub(crate) fn remove_where(&self, chosen: impl Fn(&str) -> bool) -> Vec<Erased> {
        self.each_where(chosen, |hash, text| self.remove(hash, text))
    }

    /// Takes every entry out; the same holds for what is returned.
    pub(crate) fn remove_all(&self) -> Vec<Erased> {
        let all = self.map.drain();
        all.map(|(Kept(entry), _)| entry.into_held()).collect()
    }

    /// The entry under a key counts as past its ttl.
    pub(crate) fn expire(&self, hash: KeyHash, text: &str) {
        self.map
            .peek(&probe(hash, text.as_bytes(), MemoryEntry::expire));
    }

    /// Every entry whose key text is chosen counts as past its ttl; what is returned is to be dropped where no lock is held.
    pub(crate) fn expire_where(&self, chosen: impl Fn(&str) -> bool) -> Vec<Erased> {
        self.each_where(chosen, |hash, text| {
            self.expire(hash, text);
            None
        })
    }

    /// Does this to every key that is chosen and there throughout, and perhaps to some that come meanwhile. Nothing is locked while a key is looked at; between two of them a part
    /// of the map is, for as long as it takes to come past its slots that are free. The map's own `retain` has it locked until all its keys are through.
    ///
    /// Of each entry there is a clone for a moment, so that one may leave the map and be nobody else's: what is returned has these as well.
    fn each_where(
        &self,
        chosen: impl Fn(&str) -> bool,
        what: impl Fn(KeyHash, &str) -> Option<Erased>,
    ) -> Vec<Erased> {
        let mut left = Vec::new();
        for (Kept(entry), _) in self.map.iter() {
            left.extend(entry.with_text(|text| {
                let text = whole(text);
                let hash = || self.hash(text.as_bytes());
                chosen(text).then(|| what(hash(), text)).flatten()
            }));
            let held = entry.into_held();
            if Arc::strong_count(&held) == 1 {
                left.push(held);
            }
        }
        left
    }

    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    /// The bytes of keys and values, as far as they are known: the bound's own count, or what some entries have, for all. Entries are where the hashes of
    /// their keys put them, so the first ones are some at random.
    pub(crate) fn bytes(&self) -> u64 {
        const SOME: usize = 256;
        if self.config.bytes().is_some() {
            return self.map.weight();
        }
        let some: Vec<u64> = self
            .map
            .iter()
            .take(SOME)
            .map(|(Kept(entry), record)| entry.weight(record))
            .collect();
        let (bytes, seen) = (some.iter().sum::<u64>(), some.len() as u64);
        (bytes * self.map.len() as u64)
            .checked_div(seen)
            .unwrap_or_default()
    }
}

/// Asks the map for a key, whose beginning nobody knows yet.
fn probe<F>(hash: KeyHash, text: &[u8], look: F) -> Probe<'_, F> {
    Probe {
        hash,
        text,
        beginning: Beginning::of(text),
        look,
    }
}

impl std::fmt::Debug for MemoryTier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryTier")
            .field("entries", &self.map.len())
            .finish_non_exhaustive()
    }
}

/// One per entry, or bytes of key and value.
#[derive(Clone, Copy)]
struct Weigh {
    bytes: bool,
}

impl Weighter<Kept, Record> for Weigh {
    fn weight(&self, Kept(entry): &Kept, record: &Record) -> u64 {
        if self.bytes { entry.weight(*record) } else { 1 }
    }
}

fn whole(text: &[u8]) -> &str {
    std::str::from_utf8(text).expect("it was made of a whole string")
}

#[cfg(test)]
mod tests;
