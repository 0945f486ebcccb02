//! From what is stored to what is usable.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::{Core, labels::Entry};
use crate::{
    entry::{Carried, Envelope, Erased, Header, Token, Unreadable},
    flight::Flight,
    key::Key,
    observe::{Count, Counters},
    policy::{MemoryUse, Resolved},
    tags::{Label, Labelling},
    tiers::memory::{KeyHash, MemoryEntry, Reader},
};

/// What `GET` or an acquire brought.
pub(crate) enum Examined {
    Usable(Stored),
    /// Not for this reader, or past its life: `seen`, when the lease is asked for.
    Unusable {
        token: Token,
        why: Unfit,
    },
}

/// Why stored bytes are not served, as far as it matters for what may replace them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// Of a higher schema version than the reader's: it stays.
    Newer,
    /// No entry, or one no longer: whatever its bytes say of a version means nothing.
    Damaged,
    /// It carries fewer labels than its reader would give it, or one of them was evicted.
    Other,
}

/// A value from Redis that may be served.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) value: Erased,
    pub(crate) header: Header,
    /// The tags it carries.
    pub(crate) tags: Vec<Carried>,
    pub(crate) size: usize,
}

impl Stored {
    /// What its life depends on.
    pub(super) fn entry(&self) -> Entry<'_> {
        Entry {
            header: &self.header,
            tags: &self.tags,
        }
    }
}

/// Decides whether `bytes` may be served to `reader`.
pub(crate) fn examine(
    core: &Core,
    bytes: &Bytes,
    key: &Key,
    reader: &Reader,
    counters: &Counters,
) -> Examined {
    let unusable = |why| Examined::Unusable {
        token: Token::of_stored(bytes),
        why,
    };
    let envelope = match Envelope::decode(bytes) {
        Ok(envelope) => envelope,
        Err(unreadable) => {
            counters.add(Count::DecodeError);
            // Of an unknown format it may be a newer build's, so its version counts.
            return unusable(match unreadable {
                Unreadable::UnknownFormat => Unfit::Other,
                Unreadable::Foreign | Unreadable::Damaged => Unfit::Damaged,
            });
        }
    };
    let header = envelope.header;
    let same_key = envelope.full_key.as_deref() == key.full().map(str::as_bytes);
    let fresh = core.tier.now() < header.fresh_until && !header.expired;
    if !same_key || !fresh || !reader.accepts(header.template, header.instance, header.schema) {
        let newer = reader.schema.is_some_and(|wanted| header.schema > wanted);
        return unusable(if newer { Unfit::Newer } else { Unfit::Other });
    }
    match (reader.ty.decode)(&envelope.payload) {
        Ok(value) => Examined::Usable(Stored {
            value,
            header,
            tags: envelope.tags,
            size: envelope.payload.len(),
        }),
        Err(why) => {
            tracing::debug!(%why, "a stored value has another shape than its reader; `version` tells them apart");
            counters.add(Count::DecodeError);
            unusable(Unfit::Other)
        }
    }
}

/// How long memory may keep a value that is fresh for `remaining`; `None`: not at all.
pub(crate) fn memory_life(core: &Core, policy: &Resolved, remaining: Duration) -> Option<Duration> {
    let capped = match policy.memory {
        MemoryUse::Off => return None,
        MemoryUse::On => remaining,
        MemoryUse::AtMost(limit) => remaining.min(limit),
    };
    // Other processes may evict what this one holds.
    let capped = if core.tier.is_present() {
        capped.min(core.memory.config.age(core.coherence.is_without_bus()))
    } else {
        capped
    };
    (!capped.is_zero()).then_some(capped)
}

/// A value from Redis as an entry of the memory tier: birth and remaining life stay what they were.
pub(crate) fn promote(
    core: &Core,
    stored: &Stored,
    key: &Key,
    reader: &Reader,
    policy: &Resolved,
    labelled: (&Flight, &Labelling),
) -> Option<MemoryEntry> {
    let (flight, labelling) = labelled;
    // A reader without a template may be given an entry whose labels are others than its own.
    if usize::from(stored.header.region) != labelling.root.region().len() {
        return None;
    }
    let known = |tag: &Label| labelling.tags.iter().any(|cell| cell.label() == tag);
    let more = stored.tags.iter().map(|tag| &tag.label);
    let more: Vec<_> = more
        .filter(|tag| !known(tag))
        .map(|tag| core.cells.cell(tag))
        .collect();
    let server_now = core.tier.now();
    let remaining = Duration::from_millis(stored.header.fresh_until.saturating_sub(server_now));
    let life = memory_life(core, policy, remaining)?;
    let now = core.clock.now();
    let age = server_now.saturating_sub(stored.header.birth);
    Some(MemoryEntry {
        value: Arc::clone(&stored.value),
        of: Reader {
            template: stored.header.template,
            instance: stored.header.instance,
            ..*reader
        },
        schema: stored.header.schema,
        late: !more.is_empty(),
        stamp: flight.stamp.with(&more),
        promoted: true,
        full_key: key.full().map(Into::into),
        absent: stored.header.absent,
        size: stored.size,
        born: now.saturating_sub(age),
        fresh_until: now.saturating_add(millis(life)),
    })
}

/// A usable entry of the memory tier.
pub(crate) fn from_memory(
    core: &Core,
    hash: KeyHash,
    key: &Key,
    reader: &Reader,
    labelling: &Labelling,
) -> Option<Arc<MemoryEntry>> {
    let entry = core.memory.get(hash, key.text().as_bytes())?;
    let now = core.clock.now();
    let tags = labelling.tags.iter().map(|tag| tag.label().as_str());
    let usable = entry.is_for(reader, key.full(), now)
        && entry.carries(reader, tags)
        && core.serves(&entry.stamp, now, key.text().as_bytes());
    usable.then_some(entry)
}

/// Whole milliseconds, at least one.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis())
        .unwrap_or(u64::MAX / 4)
        .max(1)
}
