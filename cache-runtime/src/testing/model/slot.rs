//! What the scripts do to one logical key.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::{
    entry::Token,
    tiers::{Acquire, Acquired, LeaseKind, Stored},
};

/// All that is stored under one logical key.
#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) value: Option<(Bytes, Instant)>,
    pub(super) lease: Option<(Token, LeaseKind, Instant)>,
    pub(super) hold: Option<Instant>,
}

impl Slot {
    /// What has expired is gone.
    pub(super) fn live(&mut self) -> &mut Self {
        let now = Instant::now();
        self.value = self.value.take().filter(|(_, until)| now < *until);
        self.lease = self.lease.take().filter(|(_, _, until)| now < *until);
        self.hold = self.hold.take().filter(|until| now < *until);
        self
    }
}

pub(super) fn acquire(slot: &mut Slot, ask: Acquire) -> Acquired {
    if let Some((value, _)) = slot.value.as_ref().filter(|_| !ask.ignore_value)
        && ask.seen != Some(Token::of_stored(value))
    {
        return Acquired::Value(value.clone());
    }
    if slot.hold.is_some() {
        return Acquired::Hold;
    }
    match slot.lease {
        Some((_, kind, _)) if ask.kind == LeaseKind::Load => Acquired::Held {
            by_put: kind == LeaseKind::Put,
        },
        _ => {
            slot.lease = Some((ask.token, ask.kind, Instant::now() + ask.lease));
            Acquired::Lead
        }
    }
}

pub(super) fn holds_lease(slot: &Slot, token: Token) -> bool {
    slot.lease.is_some_and(|(held, ..)| held == token)
}

pub(super) fn store(slot: &mut Slot, token: Token, bytes: Bytes, life: Duration) -> Stored {
    if !holds_lease(slot, token) {
        return Stored::Refused;
    }
    slot.lease = None;
    if slot.hold.is_some() {
        return Stored::Held;
    }
    slot.value = Some((bytes, Instant::now() + life));
    Stored::Stored
}

pub(super) fn evict(slot: &mut Slot, hold: Duration) {
    slot.value = None;
    slot.lease = None;
    if !hold.is_zero() {
        let until = Instant::now() + hold;
        slot.hold = Some(slot.hold.map_or(until, |held| held.max(until)));
    }
}
