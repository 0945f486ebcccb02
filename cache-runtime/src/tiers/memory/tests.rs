//! What the memory tier does, beside the tests of its parts.

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

/// Puts entries in from two threads until `what` is through, always others of so many.
fn among_others<T>(tier: &MemoryTier, others: usize, what: impl FnOnce() -> T) -> T {
    let goes_on = AtomicBool::new(true);
    thread::scope(|scope| {
        for thread in 0..2 {
            let goes_on = &goes_on;
            scope.spawn(move || {
                for n in (0..).take_while(|_| goes_on.load(Ordering::Relaxed)) {
                    let text = format!("other:{thread}:{}", n % others);
                    drop(tier.insert(entry(tier, &text, n, Particulars::default())));
                }
            });
        }
        let result = what();
        goes_on.store(false, Ordering::Relaxed);
        result
    })
}

/// Parts grow and entries are replaced where they are; then they are pushed out as well, and come back on the slot of what is remembered of them.
#[test]
fn what_was_there_is_found_while_all_else_comes_and_goes() {
    for (memory, holds_all) in [
        (Memory::new(), true),
        (Memory::new().max_entries(1_000), false),
    ] {
        for others in [100, 1_000, 10_000] {
            let tier = MemoryTier::new(memory.clone());
            let wanted: Vec<String> = (0..200).map(|n| format!("wanted:{n}")).collect();
            for _ in 0..10 {
                for text in &wanted {
                    drop(tier.insert(entry(&tier, text, 7, Particulars::default())));
                }
                let is_wanted = |text: &str| text.starts_with("wanted");
                let removed = among_others(&tier, others, || tier.remove_where(is_wanted));
                assert!(!holds_all || removed.len() >= wanted.len(), "{others}");
                let is_there =
                    |text: &String| tier.get(tier.hash(text.as_bytes()), text.as_bytes());
                assert!(wanted.iter().all(|text| is_there(text).is_none()));
            }
        }
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
