//! From what is stored to what is usable.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use bytes::Bytes;

use super::{Core, labels::Entry};
use crate::{
    entry::{Carried, Envelope, Erased, Header, Token, Unreadable},
    flight::{Flight, InHand, Source},
    key::Key,
    observe::{Count, Counters},
    policy::{MemoryUse, Resolved},
    tags::{Label, Labelling},
    tiers::memory::{Birth, Care, KeyHash, NewEntry, Particulars, Reader, Remembered, Term, Wants},
};

/// What `GET` or an acquire brought.
pub(crate) enum Examined {
    Usable(Stored),
    /// Past its ttl, and kept: for a reader whose policy may allow it.
    Stale(Stored),
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

/// Decides whether `bytes` may be served to `reader`; `keeps_stale`: what is past its ttl may be of use.
pub(crate) fn examine(
    core: &Core,
    bytes: &Bytes,
    key: &Key,
    reader: &Reader,
    counters: &Counters,
    keeps_stale: bool,
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
    let now = core.tier.now();
    let fresh = now < header.fresh_until && !header.expired;
    let kept = fresh || (keeps_stale && now < header.stale_until);
    if !same_key || !kept || !reader.accepts(header.template, header.instance, header.schema) {
        let newer = reader.schema.is_some_and(|wanted| header.schema > wanted);
        return unusable(if newer { Unfit::Newer } else { Unfit::Other });
    }
    match (reader.ty.decode)(&envelope.payload) {
        Ok(value) => {
            let stored = Stored {
                value,
                header,
                tags: envelope.tags,
                size: envelope.payload.len(),
            };
            if fresh {
                Examined::Usable(stored)
            } else {
                Examined::Stale(stored)
            }
        }
        Err(why) => {
            tracing::debug!(%why, "a stored value has another shape than its reader; `version` tells them apart");
            counters.add(Count::DecodeError);
            unusable(Unfit::Other)
        }
    }
}

/// Until when memory may keep a value, by its clock; `None`: not at all.
pub(crate) fn kept_until(core: &Core, policy: &Resolved, now: u64) -> Option<u64> {
    let capped = match policy.memory {
        MemoryUse::Off => return None,
        _ if core.memory.config.is_off() => return None,
        MemoryUse::On => Duration::MAX,
        MemoryUse::AtMost(limit) => limit,
    };
    // Other processes may evict what this one holds.
    let capped = if core.tier.is_present() {
        capped.min(core.memory.config.age(core.coherence.is_without_bus()))
    } else {
        capped
    };
    (!capped.is_zero()).then(|| now.saturating_add(millis(capped)))
}

impl Stored {
    /// Its life on the memory clock, as long as Redis keeps it.
    pub(super) fn term(&self, core: &Core, kept_until: u64) -> Term {
        let (now, server_now) = (core.clock.now(), core.tier.now());
        let here = |there: u64| match there.checked_sub(server_now) {
            Some(ahead) => now.saturating_add(ahead),
            None => now.saturating_sub(server_now - there),
        };
        let Header {
            birth,
            fresh_until,
            stale_until,
            load_time,
            ..
        } = self.header;
        let ends = (here(fresh_until), here(stale_until));
        let took = u32::try_from(load_time.as_micros()).unwrap_or(u32::MAX);
        let term = Term::new(here(birth), ends, kept_until, took);
        if self.header.expired {
            term.expired()
        } else {
            term
        }
    }

    /// It, for who would rather not serve it.
    pub(super) fn in_hand(&self, core: &Core) -> InHand {
        let term = self.term(core, u64::MAX);
        InHand {
            value: Arc::clone(&self.value),
            token: Some(self.header.token),
            born: term.born,
            ttl_until: term.ttl_until,
            kept_until: term.stale_until,
            source: Source::Redis,
        }
    }
}

/// A value from Redis as an entry of the memory tier: birth and remaining life stay what they were.
pub(crate) fn promote(
    core: &Core,
    stored: &Stored,
    key: &Key,
    reader: &Reader,
    policy: &Resolved,
    labelled: (&Flight, &Labelling),
    watch: Option<&Arc<AtomicU64>>,
) -> Option<NewEntry> {
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
    let term = stored.term(core, kept_until(core, policy, core.clock.now())?);
    let token = Some(stored.header.token);
    let (base, own) = flight.stamp.with(&more);
    let birth = Birth {
        of: Reader {
            template: stored.header.template,
            instance: stored.header.instance,
            schema: Some(stored.header.schema),
            ..*reader
        },
        promoted: true,
        base,
    };
    let own = Particulars {
        own,
        full_key: key.full(),
        care: care(policy, &term, token, watch),
    };
    let (text, size, value) = (key.text(), stored.size, &stored.value);
    Some(NewEntry {
        entry: core.memory.entry(text, birth, own, &term, size, value),
        late: !more.is_empty(),
    })
}

/// What the hits of an entry call for, if its site wants to know.
pub(super) fn care(
    policy: &Resolved,
    term: &Term,
    token: Option<Token>,
    watch: Option<&Arc<AtomicU64>>,
) -> Option<Care> {
    let wants = wants(policy, watch)?;
    Some(Care::new(&wants, term, token))
}

/// What a policy wants of hits.
pub(super) fn wants(policy: &Resolved, watch: Option<&Arc<AtomicU64>>) -> Option<Wants> {
    let fresh = &policy.fresh;
    let check = fresh.consistency_check.unwrap_or_default();
    let period = fresh.refresh_every.filter(|period| !period.is_zero());
    let any = fresh.background_refresh.is_some()
        || fresh.early_refresh.is_some()
        || check > 0.0
        || period.is_some();
    any.then(|| Wants {
        background: fresh.background_refresh,
        early: fresh.early_refresh,
        check,
        used: watch.map(Arc::clone),
        // Where there is no timer.
        after: period.filter(|_| watch.is_none()).map(millis),
    })
}

/// A usable entry of the memory tier.
pub(crate) fn from_memory(
    core: &Core,
    hash: KeyHash,
    key: &Key,
    reader: &Reader,
    labelling: &Labelling,
) -> Option<Remembered> {
    let entry = core.memory.get(hash, key.text().as_bytes())?;
    let now = core.clock.now();
    let tags = labelling.tags.iter().map(|tag| tag.label().as_str());
    let usable = entry.is_for(reader, key.full(), now)
        && entry.carries(reader, tags)
        && core.serves(&entry, now, key.text().as_bytes());
    usable.then_some(entry)
}

/// What memory keeps past its ttl, and may be served by a policy that allows it.
pub(crate) fn kept_in_memory(
    core: &Core,
    hash: KeyHash,
    key: &Key,
    reader: &Reader,
    labelling: &Labelling,
) -> Option<InHand> {
    let text = key.text().as_bytes();
    let entry = core.memory.get(hash, text)?;
    let now = core.clock.now();
    let tags = labelling.tags.iter().map(|tag| tag.label().as_str());
    let kept = entry.is_kept_for(reader, key.full(), now)
        && entry.carries(reader, tags)
        && core.keeps(&entry, now, text);
    if !kept {
        return None;
    }
    in_hand(&entry, reader)
}

/// An entry of the memory tier, for who would rather not serve it.
pub(crate) fn in_hand(entry: &Remembered, reader: &Reader) -> Option<InHand> {
    let term = entry.term();
    Some(InHand {
        value: entry.value_as(reader)?,
        token: entry.care().and_then(|care| care.token),
        born: term.born,
        ttl_until: term.ttl_until,
        kept_until: term.stale_until,
        source: Source::Memory,
    })
}

/// Whole milliseconds, at least one.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis())
        .unwrap_or(u64::MAX / 4)
        .max(1)
}
