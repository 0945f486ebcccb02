//! A hit in memory: what a call does that finds its value there.
//!
//! **Problem.** This is the path that callers are on nearly always, and every nanosecond on it is theirs.
//!
//! **Decision.** All that can be decided about an entry without a lock of ours or code of the value's owner is decided where the map holds it, under the
//! lock of that part of the map (decision 0019). What needs more is looked at again outside.

use std::cell::Cell;

use super::lookup::Call;
use crate::{
    cache::{Bound, scope},
    entry::{CacheValue, Keep},
    key::{Beginning, Lines},
    observe::{Count, Served},
    tiers::memory::{Due, MemoryEntry, Reader, Record, Remembered},
};

/// What memory has for a call.
pub(super) enum Hit<V> {
    Plain(V),
    /// It calls for something, and is served by who does that.
    Due(Remembered, Due),
}

/// An entry that needs more than a look under the lock of the map.
enum Seen {
    /// It may be served; its clone is its owner's code.
    Usable(MemoryEntry),
    /// It is of another epoch, or nothing is heard: who knows more decides.
    Doubtful(MemoryEntry),
    /// It may be served, and calls for something.
    Due(MemoryEntry, Due),
}

/// The hit: one reading of the clock, one probe, one comparison, one clone.
// A call of its own is a tenth of it.
#[inline(always)]
pub(super) fn in_memory<V: CacheValue, K: Keep<V>>(
    call: &Call<'_>,
    bound: &Bound,
    (text, beginning): (&[u8], Beginning),
    full: Option<&str>,
    tags: Option<&Lines>,
) -> Option<Hit<V>> {
    let (core, reader) = (&**call.cache.core(), &bound.reader);
    let now = core.clock.now();
    let (value, seen) = (Cell::new(None), Cell::new(None));
    // Moved in, so that what is captured lies in the closure and not behind references to locals.
    let (value_to, seen_to) = (&value, &seen);
    let look = move |entry: &MemoryEntry| {
        let is_just = full.is_none() && tags.is_none() && entry.is_just_for(bound.fingerprint, now);
        if !is_just && !is_for(entry, reader, full, tags, now) {
            return;
        }
        if !core.serves_at_once(entry, now) {
            seen_to.set(Some(Seen::Doubtful(entry.clone())));
        } else if let Some(due) = due(call, entry, now) {
            seen_to.set(Some(Seen::Due(entry.clone(), due)));
        } else if let Some(value) = entry.counted::<V, K>() {
            value_to.set(Some(value));
        } else if bound.clones_at_once
            && let Some(own) = entry.own::<V>()
        {
            value_to.set(Some(own.clone()));
        } else {
            seen_to.set(Some(Seen::Usable(entry.clone())));
        }
    };
    let hash = core.memory.hash_begun(text, beginning);
    let record = core.memory.look_begun(hash, (text, beginning), look);
    let value = match value.into_inner() {
        Some(value) => value,
        None => match look_again::<V, K>(call, bound, (seen.into_inner()?, record?), now, text)? {
            Hit::Plain(value) => value,
            due @ Hit::Due(..) => return Some(due),
        },
    };
    bound.counters.add(Count::L1Hit);
    scope::report(Served::Memory);
    if call.hooks.hit.is_some() {
        tell_of_hit(call, bound, text);
    }
    Some(Hit::Plain(value))
}

/// Whether an entry is for a reader who is compared with it piece by piece.
#[inline(never)]
fn is_for(
    entry: &MemoryEntry,
    reader: &Reader,
    full: Option<&str>,
    tags: Option<&Lines>,
    now: u64,
) -> bool {
    let carries = match tags {
        None => entry.has_tags_of(reader),
        Some(tags) => entry.carries(reader, tags.bytes()),
    };
    carries && entry.is_for(reader, full, now)
}

/// The same for a key that is a digest.
#[cold]
pub(super) fn digested<V: CacheValue, K: Keep<V>>(
    call: &Call<'_>,
    bound: &Bound,
    text: &[u8],
    full: &str,
    tags: Option<&Lines>,
) -> Option<Hit<V>> {
    let text = (text, Beginning::of(text));
    in_memory::<V, K>(call, bound, text, Some(full), tags)
}

/// The same without the lock.
fn look_again<V: CacheValue, K: Keep<V>>(
    call: &Call<'_>,
    bound: &Bound,
    (seen, record): (Seen, Record),
    now: u64,
    text: &[u8],
) -> Option<Hit<V>> {
    let core = call.cache.core();
    let (entry, due) = match seen {
        Seen::Usable(entry) => (entry, None),
        Seen::Due(entry, due) => (entry, Some(due)),
        Seen::Doubtful(entry) => {
            if !core.serves(&entry, now, text) {
                return None;
            }
            let due = due(call, &entry, now);
            (entry, due)
        }
    };
    let due = match due {
        Some(Due::Watch) if entry.is_watched_late() => due_late(call, &entry, now),
        due => due,
    };
    match due {
        Some(due) => Some(Hit::Due(Remembered::new(entry, record), due)),
        None => {
            let value = entry.counted::<V, K>();
            let value = value.or_else(|| entry.typed::<V>(&bound.reader));
            value.map(Hit::Plain)
        }
    }
}

/// What a hit calls for, if its site watches. An entry that somebody else has put into memory does not know yet.
#[inline]
fn due(call: &Call<'_>, entry: &MemoryEntry, now: u64) -> Option<Due> {
    if !call.site.watched {
        return None;
    }
    match entry.care() {
        Some(care) => care.due(now, fastrand::f64),
        None => Some(Due::Watch),
    }
}

/// The same for an entry whose site has not asked, and another has: in a table, which only here may be locked.
#[cold]
fn due_late(call: &Call<'_>, entry: &MemoryEntry, now: u64) -> Option<Due> {
    match call.cache.core().memory.care(entry) {
        Some(care) => care.due(now, fastrand::f64),
        None => Some(Due::Watch),
    }
}

#[cold]
fn tell_of_hit(call: &Call<'_>, bound: &Bound, text: &[u8]) {
    if let Some(told) = call.told(&String::from_utf8_lossy(text)) {
        told.tell(call.cache.core(), &bound.counters, Served::Memory);
    }
}
