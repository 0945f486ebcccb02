//! The memory tier: typed values in this process.
//!
//! A hit is one probe of the map, a comparison of the key and of what the reader is (template,
//! instantiation, tags, schema version, type), and a reading of the clock. Entries carry their own deadlines;
//! nothing ticks, and what is dead leaves when its place is needed. The map (`quick_cache`) bounds entries or
//! bytes and evicts by S3-FIFO, so a scan does not wash out what is hot.

mod care;
mod config;
mod entry;

use std::cell::RefCell;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher};

use quick_cache::{Equivalent, Weighter, sync::Cache};

pub(crate) use care::{Care, Due, UNWATCHED, Wants};
pub use config::Memory;
pub(crate) use entry::{MemoryEntry, Reader, Term};

use std::sync::Arc;

/// The map and its bounds.
pub(crate) struct MemoryTier {
    map: Map,
    hasher: foldhash::fast::RandomState,
    /// No entry lives longer where other processes write the same data.
    pub(crate) config: Memory,
}

type Map = Cache<StoredKey, Arc<MemoryEntry>, Weigh, BuildHasherDefault<Ready>>;

/// Entries that had to make room.
#[derive(Debug, Default)]
#[must_use = "dropping it runs the values' own code"]
pub(crate) struct PushedOut([Option<(StoredKey, Arc<MemoryEntry>)>; 2]);

/// The hash of a key text, computed once per call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyHash(pub(crate) u64);

impl MemoryTier {
    pub(crate) fn new(config: Memory) -> Self {
        let weigh = Weigh {
            bytes: config.bytes().is_some(),
        };
        let (items, weight) = config.bounds();
        let map = Cache::with(
            items,
            weight,
            weigh,
            BuildHasherDefault::default(),
            quick_cache::sync::DefaultLifecycle::default(),
        );
        Self {
            map,
            hasher: foldhash::fast::RandomState::default(),
            config,
        }
    }

    pub(crate) fn hash(&self, text: &[u8]) -> KeyHash {
        KeyHash(self.hasher.hash_one(text))
    }

    /// The entry under a key, alive or not.
    pub(crate) fn get(&self, hash: KeyHash, text: &[u8]) -> Option<Arc<MemoryEntry>> {
        self.map.get(&Wanted { hash: hash.0, text })
    }

    /// Inserts an entry. What it pushes out is returned, to be dropped where no lock is held: dropping a value runs
    /// its owner's code.
    pub(crate) fn insert(&self, hash: KeyHash, text: &str, entry: MemoryEntry) -> PushedOut {
        let mut pushed_out = PushedOut::default();
        if !self.config.is_off() {
            let key = StoredKey {
                hash: hash.0,
                text: text.into(),
            };
            self.map
                .insert_with_lifecycle(key, Arc::new(entry), &mut pushed_out.0);
        }
        pushed_out
    }

    /// Takes an entry out; to be dropped where no lock is held.
    pub(crate) fn remove(&self, hash: KeyHash, text: &str) -> Option<Arc<MemoryEntry>> {
        let wanted = Wanted {
            hash: hash.0,
            text: text.as_bytes(),
        };
        self.map.remove(&wanted).map(|(_, entry)| entry)
    }

    /// Takes every entry out whose key text is chosen; to be dropped where no lock is held.
    pub(crate) fn remove_where(&self, chosen: impl Fn(&str) -> bool) -> Vec<Arc<MemoryEntry>> {
        let removed = RefCell::new(Vec::new());
        self.map.retain(|key, entry| {
            let goes = chosen(&key.text);
            if goes {
                removed.borrow_mut().push(Arc::clone(entry));
            }
            !goes
        });
        removed.into_inner()
    }

    /// Every entry whose key text is chosen counts as past its ttl.
    pub(crate) fn expire_where(&self, chosen: impl Fn(&str) -> bool) {
        self.map.retain(|key, entry| {
            if chosen(&key.text) {
                entry.term.expire();
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

/// A key as the map holds it.
#[derive(Debug, PartialEq, Eq)]
struct StoredKey {
    hash: u64,
    text: Box<str>,
}

impl Hash for StoredKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// A key as a caller has it.
struct Wanted<'a> {
    hash: u64,
    text: &'a [u8],
}

impl Hash for Wanted<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Equivalent<StoredKey> for Wanted<'_> {
    fn equivalent(&self, key: &StoredKey) -> bool {
        self.hash == key.hash && *self.text == *key.text.as_bytes()
    }
}

/// Passes a hash on that was computed before.
#[derive(Default)]
struct Ready(u64);

impl Hasher for Ready {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// One per entry, or bytes of key and value.
#[derive(Clone, Copy)]
struct Weigh {
    bytes: bool,
}

impl Weighter<StoredKey, Arc<MemoryEntry>> for Weigh {
    fn weight(&self, key: &StoredKey, entry: &Arc<MemoryEntry>) -> u64 {
        if self.bytes {
            (key.text.len() + entry.size).max(1) as u64
        } else {
            1
        }
    }
}
