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
mod tests {
    use std::cell::Cell;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, mpsc};
    use std::thread;
    use std::time::Duration;

    use super::{
        Birth, Care, Memory, MemoryEntry, MemoryTier, Particulars, Reader, Remembered, Term, Wants,
    };
    use crate::entry::{CacheValue, Counted, Erased};
    use crate::key::Beginning;
    use crate::tags::{Cells, Labelling, Stamp};

    const TERM: Term = Term {
        born: 0,
        fresh_until: 1_000,
        stale_until: 1_000,
        ttl_until: 1_000,
        took: 0,
    };

    fn birth<V: CacheValue>() -> Birth {
        let labelling = Labelling {
            root: Cells::default().root(""),
            scope: None,
            tags: Vec::new(),
            late: false,
        };
        Birth {
            of: Reader::of::<V>(),
            promoted: false,
            base: Stamp::of(&labelling, 2).base,
        }
    }

    fn entry<V: CacheValue>(
        tier: &MemoryTier,
        text: &str,
        value: V,
        own: Particulars<'_>,
    ) -> Remembered {
        let value: Erased = Arc::new(value);
        tier.entry(text, birth::<V>(), own, &TERM, 1, &value)
    }

    fn care() -> Care {
        Care::new(&Wants::default(), &TERM, None)
    }

    /// The map has it in its own slots, so that no block of memory is an entry's own where the key is short.
    #[test]
    fn an_entry_is_56_bytes_and_points_to_what_the_value_counts() {
        assert_eq!(size_of::<MemoryEntry>(), 56);
        let tier = MemoryTier::new(Memory::new());
        let value = Arc::new(7_u64);
        let entry = |text: &str, of: Reader, value: Erased| {
            let birth = Birth {
                of,
                ..birth::<u8>()
            };
            let own = Particulars::default();
            tier.entry(text, birth, own, &TERM, 1, &value).entry
        };
        let counted = Reader::keeping::<Arc<u64>, Counted>();
        let kept = entry("short", counted, Arc::new(Arc::clone(&value)));
        assert_eq!(Arc::strong_count(&value), 2);
        let found = kept.counted::<Arc<u64>, Counted>();
        assert!(found.is_some_and(|found| Arc::ptr_eq(&found, &value)));
        // Who does not say how it is kept gets it as well.
        assert!(kept.own::<Arc<u64>>().is_none());
        assert_eq!(
            kept.typed::<Arc<u64>>(&Reader::of::<Arc<u64>>()),
            Some(value)
        );
        let kept: Erased = Arc::new(7_u16);
        let whole = entry("short", Reader::of::<u16>(), Arc::clone(&kept));
        assert!(
            whole
                .own::<u16>()
                .is_some_and(|own| std::ptr::eq(own, kept.downcast_ref().unwrap()))
        );
    }

    #[test]
    fn whoever_has_stored_a_value_another_type_gets_it_too() {
        let tier = MemoryTier::new(Memory::new());
        let readers = [
            Reader::of::<Arc<u64>>(),
            Reader::keeping::<Arc<u64>, Counted>(),
            Reader::of::<Option<Arc<u64>>>(),
            Reader::keeping::<Option<Arc<u64>>, Counted>(),
        ];
        let Birth { base, promoted, .. } = birth::<u8>();
        let born = |of| Birth {
            of,
            promoted,
            base: base.clone(),
        };
        for (of, counted) in readers.into_iter().zip([false, true].into_iter().cycle()) {
            let value = (of.ty.decode)(b"7").expect("it is a number");
            let birth = born(of);
            let kept = tier.entry("key", birth, Particulars::default(), &TERM, 1, &value);
            assert!(!kept.is_absent() && kept.size() == Some(1));
            // Whoever was born before.
            let found = kept.counted::<Arc<u64>, Counted>();
            assert_eq!(found.is_some(), counted);
            for reader in readers {
                let value = kept.value_as(&reader).expect("it is the same in JSON");
                assert_eq!((reader.ty.encode)(&value, 100).unwrap(), b"7");
            }
            let value = kept.typed::<u64>(&Reader::of::<u64>());
            assert_eq!(value, Some(7));
        }
        let of = Reader::keeping::<Option<Arc<u64>>, Counted>();
        let value = (of.ty.decode)(b"null").expect("it is nothing");
        let birth = born(of);
        let kept = tier.entry("key", birth, Particulars::default(), &TERM, 1, &value);
        assert!(kept.is_absent());
        assert_eq!(kept.counted::<Option<Arc<u64>>, Counted>(), None);
        assert_eq!(kept.own::<Option<Arc<u64>>>(), Some(&None));
    }

    #[test]
    fn what_the_map_has_beside_an_entry_costs_nothing() {
        let tier = MemoryTier::new(Memory::new());
        for n in 0..1_000 {
            let text = n.to_string();
            drop(tier.insert(entry(&tier, &text, n, Particulars::default())));
        }
        let used = tier.map.memory_used().entries;
        let without = quick_cache::sync::Cache::<super::Kept, ()>::new(1_000);
        for n in 0..1_000 {
            let kept = entry(&tier, &n.to_string(), n, Particulars::default());
            without.insert(super::Kept(kept.entry), ());
        }
        assert_eq!(tier.len(), 1_000);
        assert_eq!(used, without.memory_used().entries);
    }

    #[test]
    fn keys_and_values_come_out_as_they_went_in() {
        let tier = MemoryTier::new(Memory::new());
        for length in [
            0, 1, 7, 8, 15, 16, 17, 31, 32, 33, 47, 48, 49, 127, 128, 129, 500,
        ] {
            for rich in [false, true] {
                let text: String = ('a'..='z').cycle().take(length).collect();
                let own = Particulars {
                    care: rich.then(care),
                    ..Particulars::default()
                };
                let kept = entry(&tier, &text, length, own);
                assert_eq!(kept.own::<usize>(), Some(&length));
                assert_eq!(kept.own::<u8>(), None);
                assert!(kept.with_text(|whole| whole == text.as_bytes()));
                let has = |text: &[u8]| kept.has_text(text, Beginning::of(text));
                assert!(has(text.as_bytes()));
                assert!(!has(format!("{text}k").as_bytes()));
                for at in 0..length {
                    let mut other = text.clone().into_bytes();
                    other[at] = b'0';
                    assert!(!has(&other), "{length} {at}");
                }
                assert!(length == 0 || !has(&text.as_bytes()[..length - 1]));
                drop(tier.insert(kept));
                let found = tier.get(tier.hash(text.as_bytes()), text.as_bytes());
                let found = found.expect("it was just inserted");
                assert_eq!((found.own(), found.care().is_some()), (Some(&length), rich));
            }
        }
        let all = tier.remove_where(|text| text.starts_with("abc") || text.len() < 3);
        assert_eq!((all.len(), tier.len()), (17, 0));
    }

    /// A hit or a store that waited until a part of the map was compared would be late by tens of milliseconds, where there are millions.
    #[test]
    fn nobody_waits_for_a_look_at_all_entries() {
        let tier = MemoryTier::new(Memory::new().max_entries(1_000));
        let keep = |n: usize| {
            let text = n.to_string();
            drop(tier.insert(entry(&tier, &text, n, Particulars::default())));
            assert!(
                tier.get(tier.hash(text.as_bytes()), text.as_bytes())
                    .is_some()
            );
        };
        (0..100).for_each(keep);
        let (ask, asked) = mpsc::channel();
        let (answer, answered) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(move || {
                for n in asked {
                    (0..100).chain([n]).for_each(keep);
                    answer.send(()).expect("who has asked waits");
                }
            });
            let others_go_on = move || {
                ask.send(100).expect("the other thread listens");
                answered.recv_timeout(Duration::from_secs(60)).is_ok()
            };
            let looked = Cell::new(0);
            let removed = tier.remove_where(|text| {
                looked.set(looked.get() + 1);
                assert!(looked.get() > 1 || others_go_on());
                text == "7"
            });
            // One was chosen, and one replaced while it was looked at.
            assert!(looked.get() >= 100 && removed.len() == 2);
            assert!(tier.get(tier.hash(b"7"), b"7").is_none());
            let left = tier.expire_where(|_| {
                assert!(others_go_on());
                false
            });
            assert!(
                left.len() >= 100,
                "each was replaced while it was looked at"
            );
        });
    }

    #[test]
    fn what_is_expired_is_the_entry_in_the_map() {
        let tier = MemoryTier::new(Memory::new().max_entries(100));
        for text in ["a", "b", "aa"] {
            drop(tier.insert(entry(&tier, text, 7, Particulars::default())));
        }
        assert!(tier.expire_where(|text| text.starts_with('a')).is_empty());
        let is_fresh = |text: &str| {
            let found = tier.get(tier.hash(text.as_bytes()), text.as_bytes());
            found.expect("it was inserted").term().fresh_until > 0
        };
        assert_eq!(["a", "b", "aa"].map(is_fresh), [false, true, false]);
        assert_eq!((tier.remove_all().len(), tier.len()), (3, 0));
    }

    /// Parts grow, entries are replaced where they are, pushed out, and come back on the slot of what is remembered of them.
    #[test]
    fn what_was_there_is_found_while_all_else_comes_and_goes() {
        let tier = MemoryTier::new(Memory::new().max_entries(50_000));
        let put = |text: &str, n| drop(tier.insert(entry(&tier, text, n, Particulars::default())));
        for round in 0..20 {
            let wanted: Vec<String> = (0..200).map(|n| format!("wanted:{n}")).collect();
            wanted.iter().for_each(|text| put(text, round));
            let is_there = |text: &String| tier.get(tier.hash(text.as_bytes()), text.as_bytes());
            let goes_on = AtomicBool::new(true);
            let removed = thread::scope(|scope| {
                for thread in 0..2 {
                    let (goes_on, put) = (&goes_on, &put);
                    scope.spawn(move || {
                        for n in (0..).take_while(|_| goes_on.load(Ordering::Relaxed)) {
                            put(&format!("other:{thread}:{}", n % (1_000 << (round / 2))), n);
                        }
                    });
                }
                let removed = tier.remove_where(|text| text.starts_with("wanted"));
                goes_on.store(false, Ordering::Relaxed);
                removed
            });
            assert!(removed.len() >= 100, "{round}: {}", removed.len());
            assert!(
                wanted.iter().all(|text| is_there(text).is_none()),
                "{round}"
            );
        }
    }

    #[test]
    fn who_asks_late_is_heard_until_the_entry_is_gone() {
        let tier = MemoryTier::new(Memory::new().max_entries(100));
        let found = |text: &str| tier.get(tier.hash(text.as_bytes()), text.as_bytes());
        let plain = entry(&tier, "plain", 7, Particulars::default());
        drop(tier.insert(plain.clone()));
        assert!(tier.care(&plain.entry).is_none());
        tier.watch(&plain.entry, care());
        // Who has found it before, and who finds it now.
        assert!(plain.is_watched_late());
        let plain = found("plain").expect("it was inserted");
        let first = tier.care(&plain.entry).expect("it is watched");
        assert!(plain.is_watched_late() && !first.claim(0));
        first.look_again_at(5);
        tier.watch(&plain.entry, care());
        assert!(first.claim(5) && !tier.care(&plain.entry).unwrap().claim(5));

        // Another under its key is nobody's yet.
        drop(tier.insert(entry(&tier, "plain", 8, Particulars::default())));
        let other = found("plain").expect("it was inserted");
        assert!(!other.is_watched_late() && tier.care(&other.entry).is_none());
        tier.watch(&plain.entry, care());
        assert!(!found("plain").unwrap().is_watched_late());
        tier.watch(&other.entry, care());
        let late = tier.care(&other.entry).expect("it is watched");
        late.look_again_at(5);
        assert!(late.claim(5) && !std::ptr::eq(&*late, &*first));
        // Who has the one before in hand asks for nothing of the later.
        assert!(tier.care(&plain.entry).is_none());

        let own = Particulars {
            care: Some(care()),
            ..Particulars::default()
        };
        let rich = entry(&tier, "rich", 7, own);
        tier.watch(&rich.entry, care());
        assert!(!rich.is_watched_late());

        for n in 0..10_000 {
            let passing = entry(&tier, &n.to_string(), n, Particulars::default());
            drop(tier.insert(passing.clone()));
            tier.watch(&passing.entry, care());
            let is_watched = |text| found(text).is_some_and(|it| tier.care(&it.entry).is_some());
            assert!(is_watched(&n.to_string()));
        }
        assert!(tier.late_cares.len() < 1_000, "{}", tier.late_cares.len());
    }
}
