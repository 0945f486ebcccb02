//! What the scripts do to one logical key.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::{
    bus::Manner,
    entry::{Token, mark_expired, schema_version},
    tiers::{Acquire, Acquired, LeaseKind, Stored},
};

/// When something ends that lives so long from now on.
pub(super) fn until(life: Duration) -> Instant {
    Instant::now() + life.clamp(Duration::from_millis(1), CENTURY)
}

/// Longer than anything lives; beyond, arithmetic overflows.
const CENTURY: Duration = Duration::from_secs(100 * 366 * 86_400);

/// All that is stored under one logical key.
#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) value: Option<(Bytes, Instant)>,
    pub(super) lease: Option<Lease>,
    pub(super) hold: Option<Instant>,
    /// A load has failed: until then the origin is left alone by those who can.
    pub(super) failed: Option<Instant>,
}

/// A lease that stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    pub(super) token: Token,
    pub(super) kind: LeaseKind,
    pub(super) until: Instant,
    /// Somebody waits for its end.
    pub(super) awaited: bool,
    /// Sweeps up to this one do not refuse what is loaded under it.
    pub(super) knows: u64,
}

impl Slot {
    /// What has expired is gone.
    pub(super) fn live(&mut self) -> &mut Self {
        let now = Instant::now();
        self.value = self.value.take().filter(|(_, until)| now < *until);
        self.lease = self.lease.take().filter(|lease| now < lease.until);
        self.hold = self.hold.take().filter(|until| now < *until);
        self.failed = self.failed.take().filter(|until| now < *until);
        self
    }
}

pub(super) fn acquire(slot: &mut Slot, ask: Acquire, sweeps: u64) -> Acquired {
    let looks = ask.kind == LeaseKind::Load && !ask.ignore_value;
    if let Some((value, _)) = slot.value.as_ref().filter(|_| looks)
        && ask.seen != Some(Token::of_stored(value))
    {
        return Acquired::Value(value.clone());
    }
    if slot.hold.is_some() {
        return Acquired::Hold;
    }
    let heeds = ask.heeds_failures && ask.kind == LeaseKind::Load;
    if let Some(until) = slot.failed.filter(|_| heeds) {
        return Acquired::Failed {
            left: until.saturating_duration_since(Instant::now()),
        };
    }
    match &mut slot.lease {
        Some(lease) if ask.kind == LeaseKind::Load => {
            let by_put = lease.kind == LeaseKind::Put;
            lease.awaited |= ask.waits && !by_put;
            Acquired::Held { by_put }
        }
        _ => {
            slot.lease = Some(Lease {
                token: ask.token,
                kind: ask.kind,
                until: until(ask.lease),
                awaited: false,
                knows: sweeps,
            });
            Acquired::Lead
        }
    }
}

pub(super) fn holds_lease(slot: &Slot, token: Token) -> bool {
    slot.lease.is_some_and(|lease| lease.token == token)
}

/// An entry to store.
pub(super) struct Parcel {
    pub(super) token: Token,
    pub(super) schema_version: u32,
    pub(super) bytes: Bytes,
    pub(super) life: Duration,
}

/// `older`: it was loaded before a sweep that is under way and may mean the key.
pub(super) fn store(slot: &mut Slot, entry: Parcel, older: bool) -> Stored {
    if !holds_lease(slot, entry.token) {
        return Stored::Refused;
    }
    slot.lease = None;
    if slot.hold.is_some() {
        return Stored::Held;
    }
    if older {
        return Stored::Refused;
    }
    let there = slot.value.as_ref();
    if there.and_then(|(there, _)| schema_version(there)) > Some(entry.schema_version) {
        return Stored::Newer;
    }
    slot.failed = None;
    slot.value = Some((entry.bytes, until(entry.life)));
    Stored::Stored
}

/// Gives a lease back; whether somebody waited for it.
pub(super) fn release(slot: &mut Slot, token: Token) -> bool {
    let given = slot.lease.take_if(|lease| lease.token == token);
    given.is_some_and(|lease| lease.awaited)
}

/// Gives a lease back, and notes that its load has failed: whether it stood, and whether somebody waited for it.
pub(super) fn fail(slot: &mut Slot, token: Token, pause: Duration) -> (bool, bool) {
    if !holds_lease(slot, token) {
        return (false, false);
    }
    slot.failed = Some(until(pause));
    (true, release(slot, token))
}

/// Marks the value as past its ttl; whether there is one that can be.
pub(super) fn expire_value(slot: &mut Slot) -> bool {
    let Some((bytes, _)) = &mut slot.value else {
        return false;
    };
    let mut expired = bytes.to_vec();
    let marked = mark_expired(&mut expired);
    *bytes = expired.into();
    marked
}

/// Frees a value, if it is still the one that was seen.
pub(super) fn free(slot: &mut Slot, seen: Token) -> bool {
    let is_seen = |(bytes, _): &mut (Bytes, Instant)| Token::of_stored(bytes) == seen;
    slot.value.take_if(is_seen).is_some()
}

pub(super) fn remove(slot: &mut Slot, manner: Manner, hold: Duration) {
    match manner {
        Manner::Evict => slot.value = None,
        Manner::Expire => drop(expire_value(slot)),
    }
    slot.lease = None;
    slot.failed = None;
    if !hold.is_zero() {
        let until = until(hold);
        slot.hold = Some(slot.hold.map_or(until, |held| held.max(until)));
    }
}
