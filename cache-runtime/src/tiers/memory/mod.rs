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
mod probe;
mod pushed_out;
mod reader;
mod term;
mod text;

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use once_cell::race::OnceBox;
use quick_cache::{Weighter, sync::Cache};

use crate::entry::Erased;
use birth::Births;
use probe::{Kept, Probe, TextHash};
use pushed_out::HandOut;

pub(crate) use birth::Birth;
pub(crate) use care::{Care, Due, UNWATCHED, Wants};
pub use config::Memory;
pub(crate) use entry::{MemoryEntry, NewEntry, Particulars};
pub(crate) use pushed_out::PushedOut;
pub(crate) use reader::Reader;
pub(crate) use term::Term;

/// The map and its bounds.
pub(crate) struct MemoryTier {
    map: Map,
    hasher: TextHash,
    births: Births,
    /// No entry lives longer where other processes write the same data.
    pub(crate) config: Memory,
}

/// An entry is its own key.
type Map = Cache<Kept, (), Weigh, TextHash, HandOut>;

/// The hash of a key text, computed once per call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyHash(pub(crate) u64);

impl MemoryTier {
    pub(crate) fn new(config: Memory) -> Self {
        let weigh = Weigh {
            bytes: config.bytes().is_some(),
        };
        let (items, weight) = config.bounds();
        let hasher = TextHash::default();
        let map = Cache::with(items, weight, weigh, hasher.clone(), HandOut);
        Self {
            map,
            hasher,
            births: Births::default(),
            config,
        }
    }

    #[inline]
    pub(crate) fn hash(&self, text: &[u8]) -> KeyHash {
        KeyHash(self.hasher.of(text))
    }

    /// The entry under a key, alive or not.
    pub(crate) fn get(&self, hash: KeyHash, text: &[u8]) -> Option<Arc<MemoryEntry>> {
        let found = Cell::new(None);
        self.look(hash, text, |entry| found.set(Some(Arc::clone(entry))));
        found.into_inner()
    }

    /// Looks at the entry under a key, alive or not, where it is, once: under the lock of a part of the map. So `look` neither locks nor runs an
    /// owner's code.
    #[inline]
    pub(crate) fn look(&self, hash: KeyHash, text: &[u8], look: impl Fn(&Arc<MemoryEntry>)) {
        let _ = self.map.get(&Probe { hash, text, look });
    }

    /// An entry under a key text, for [`insert`](Self::insert). Clones the value, which runs its owner's code.
    pub(crate) fn entry(
        &self,
        text: &str,
        birth: Birth,
        own: Particulars<'_>,
        term: &Term,
        size: usize,
        value: &Erased,
    ) -> Arc<MemoryEntry> {
        let enter = birth.of.keeping.enter;
        let more = OnceBox::new();
        if let Some(own) = own.boxed() {
            let _ = more.set(own);
        }
        let head = entry::Head {
            text: text::KeyText::new(text),
            birth: self.births.shared(birth),
            life: term::Life::of(term, size),
            more,
        };
        enter(head, value)
    }

    /// Inserts an entry. What it pushes out is returned, to be dropped where no lock is held: dropping a value runs
    /// its owner's code.
    pub(crate) fn insert(&self, entry: Arc<MemoryEntry>) -> PushedOut {
        let mut pushed_out = PushedOut::default();
        if self.config.is_off() {
            pushed_out.take(Kept(entry));
        } else {
            self.map
                .insert_with_lifecycle(Kept(entry), (), &mut pushed_out);
        }
        pushed_out
    }

    /// Takes an entry out; to be dropped where no lock is held.
    pub(crate) fn remove(&self, hash: KeyHash, text: &str) -> Option<Arc<MemoryEntry>> {
        let text = text.as_bytes();
        let look = |_: &Arc<MemoryEntry>| ();
        let (Kept(entry), ()) = self.map.remove(&Probe { hash, text, look })?;
        Some(entry)
    }

    /// Takes every entry out whose key text is chosen; to be dropped where no lock is held.
    pub(crate) fn remove_where(&self, chosen: impl Fn(&str) -> bool) -> Vec<Arc<MemoryEntry>> {
        let removed = RefCell::new(Vec::new());
        self.map.retain(|Kept(entry), ()| {
            let goes = chosen(entry.head.text.as_str());
            if goes {
                removed.borrow_mut().push(Arc::clone(entry));
            }
            !goes
        });
        removed.into_inner()
    }

    /// Every entry whose key text is chosen counts as past its ttl.
    pub(crate) fn expire_where(&self, chosen: impl Fn(&str) -> bool) {
        self.map.retain(|Kept(entry), ()| {
            if chosen(entry.head.text.as_str()) {
                entry.expire();
            }
            true
        });
    }

    pub(crate) fn len(&self) -> usize {
        self.map.len()
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

impl Weighter<Kept, ()> for Weigh {
    fn weight(&self, Kept(entry): &Kept, (): &()) -> u64 {
        if self.bytes {
            (entry.head.text.as_bytes().len() + entry.size()).max(1) as u64
        } else {
            1
        }
    }
}
