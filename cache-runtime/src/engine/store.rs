//! The end of a load: Redis first, presenting the lease, then memory, then the waiters.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    Core,
    call::Call,
    evict::EvictTask,
    lead::{Lead, Right},
    lease::Lease,
    read::{memory_life, millis},
    selection::{Item, Target},
};
use crate::{
    entry::{EncodeError, Erased, Header, Token, Top, encode},
    flight::Outcome,
    key::Key,
    observe::{Count, Counters},
    policy::{Life, Resolved},
    tiers::{
        Store, Stored,
        memory::{MemoryEntry, Reader},
    },
};

/// What a site wants done with a value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    /// `unless` said not to store it.
    pub(crate) veto: bool,
    /// What `ttl_from` said.
    pub(crate) ttl: Option<Duration>,
    /// How long the load took.
    pub(crate) took: Duration,
}

/// A value ready to be stored.
pub(super) struct Prepared {
    header: Header,
    /// Entries of a higher schema version than this stay.
    yields_above: u32,
    /// Empty where only memory takes it.
    payload: Vec<u8>,
    size: usize,
    life: Duration,
}

/// Why a value will not be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unstored {
    /// The site does not want it stored; what is stored stays.
    Keep,
    /// Not stored, and what is stored goes: its successor is known and cannot take its place.
    Remove,
}

/// What became of the value in Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// It is stored, or an entry of a newer build is; memory may have it too.
    Yes,
    /// Redis takes no part or did not answer; memory may have it.
    Unknown,
    /// An eviction, a hold or another load came between.
    Refused,
}

impl Lead {
    /// Ends the flight with a value.
    pub(super) async fn finish(mut self, call: &mut Call, value: Erased, wish: Wish) {
        // From here on a dropped leader has answered its waiters.
        self.guard.has(self.outcome(call, &value, false));
        let prepared = prepare(call_parts(call), &value, wish, self.lease.is_some());
        let (kept, entry) = match prepared {
            Err(unstored) => {
                if unstored == Unstored::Remove && self.right != Right::Nothing {
                    self.remove(call).await;
                }
                (false, None)
            }
            Ok(_) if self.right == Right::Nothing || self.guard.flight().is_marked() => {
                call.counters.add(Count::RefusedStore);
                (false, None)
            }
            Ok(mut prepared) => {
                if self.damaged {
                    // Under this load's lease nothing else can have taken its place.
                    prepared.yields_above = u32::MAX;
                }
                self.store(call, &value, prepared).await
            }
        };
        let wanted = entry.is_some();
        let outcome = self.outcome(call, &value, kept);
        if !self.guard.end(outcome, entry) && wanted {
            call.counters.add(Count::RefusedStore);
        }
    }

    /// What the waiters get. An eviction in this process has marked the flight, and then all waiters had joined
    /// before it; of evictions elsewhere only an accepted store says that there was none.
    fn outcome(&self, call: &Call, value: &Erased, kept: bool) -> Outcome {
        let alone = !call.policy.redis || !call.core.tier.is_present();
        let marked_here = self.guard.flight().is_marked() && !self.lost;
        let value = Arc::clone(value);
        if alone || kept || marked_here {
            Outcome::Value(value)
        } else {
            Outcome::Doubtful(value)
        }
    }

    /// Ends the flight with an error.
    pub(super) fn fail(self, outcome: Outcome) {
        self.guard.end(outcome, None);
    }

    /// Whether a tier has the value now, and what memory is to have.
    async fn store(
        &mut self,
        call: &mut Call,
        value: &Erased,
        prepared: Prepared,
    ) -> (bool, Option<MemoryEntry>) {
        let kept = match (self.right, self.lease.take()) {
            (Right::Store, Some(lease)) => store(call, lease, &prepared).await,
            _ => Kept::Unknown,
        };
        if kept == Kept::Refused {
            self.lost = true;
            call.counters.add(Count::RefusedStore);
            return (false, None);
        }
        let entry = memory_entry(call_parts(call), value, &prepared);
        (kept == Kept::Yes || entry.is_some(), entry)
    }

    /// The successor of what is stored is known, and is not to be stored.
    async fn remove(&mut self, call: &mut Call) {
        call.core.memory.remove(call.hash, call.key.text());
        let may_be_in_redis = self.seen.is_some() || call.refresh;
        if may_be_in_redis && call.policy.redis {
            let item = Item {
                target: Target::Key(call.key.clone()),
                hold: Duration::ZERO,
            };
            let eviction = EvictTask::new(&call.core, vec![item]);
            // It breaks this load's own lease too. Without an answer within the call's budget it goes into the
            // journal: dropping it puts it there.
            if let Some(within) = call.budget.left() {
                let _ = tokio::time::timeout(within, eviction.run()).await;
            }
        }
    }
}

/// What preparing needs of a call or a put.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) core: &'a Core,
    pub(super) key: &'a Key,
    pub(super) reader: &'a Reader,
    pub(super) policy: &'a Resolved,
    pub(super) counters: &'a Counters,
}

fn call_parts(call: &Call) -> Parts<'_> {
    Parts {
        core: &call.core,
        key: &call.key,
        reader: &call.reader,
        policy: &call.policy,
        counters: &call.counters,
    }
}

/// Decides whether and how long a value is stored, and encodes it.
pub(super) fn prepare(
    parts: Parts<'_>,
    value: &Erased,
    wish: Wish,
    for_redis: bool,
) -> Result<Prepared, Unstored> {
    if wish.veto {
        return Err(Unstored::Keep);
    }
    let top = (parts.reader.ty.top)(value);
    let life = match parts.policy.lifetimes.of(top, wish.ttl, fastrand::f64()) {
        Life::Keep => return Err(Unstored::Keep),
        Life::Remove => return Err(Unstored::Remove),
        Life::Fresh(life) => life,
    };
    let (payload, size) = encoded(parts, value, for_redis)?;
    let now = parts.core.tier.now();
    let fresh_until = now.saturating_add(millis(life));
    Ok(Prepared {
        header: Header {
            token: Token::random(),
            absent: top == Top::None,
            expired: false,
            schema: parts.policy.schema,
            birth: now,
            fresh_until,
            stale_until: fresh_until,
            load_time: wish.took,
            template: parts.reader.template,
            instance: parts.reader.instance,
        },
        yields_above: parts.policy.schema,
        payload,
        size,
        life,
    })
}

/// The bounds of a value hold in every tier, so that adding Redis later changes no behaviour.
fn encoded(parts: Parts<'_>, value: &Erased, keep: bool) -> Result<(Vec<u8>, usize), Unstored> {
    let limit = parts.core.settings.max_value_bytes;
    let result = if keep {
        (parts.reader.ty.encode)(value, limit).map(|bytes| {
            let size = bytes.len();
            (bytes, size)
        })
    } else {
        (parts.reader.ty.size)(value, limit).map(|size| (Vec::new(), size))
    };
    result.map_err(|error| {
        match error {
            EncodeError::TooLarge => parts.counters.add(Count::Oversized),
            EncodeError::Unserializable(why) => {
                tracing::debug!(%why, "a value has no JSON form and is not stored");
                parts.counters.add(Count::Unserializable);
            }
        }
        Unstored::Remove
    })
}

/// The fenced store.
async fn store(call: &mut Call, lease: Lease, prepared: &Prepared) -> Kept {
    let Some(within) = call.budget.left() else {
        return Kept::Unknown;
    };
    let asked = Instant::now();
    let answer = store_once(&call.core, &call.key, &lease, prepared, within).await;
    match call.budget.book(asked, answer, &call.counters) {
        Some(Stored::Stored | Stored::Newer) => {
            lease.disarm();
            Kept::Yes
        }
        Some(Stored::Refused | Stored::Held) => {
            lease.disarm();
            Kept::Refused
        }
        // Nobody knows; dropping the lease gives it back.
        None => Kept::Unknown,
    }
}

/// One store command.
pub(super) async fn store_once(
    core: &Core,
    key: &Key,
    lease: &Lease,
    prepared: &Prepared,
    within: Duration,
) -> Result<Stored, crate::tiers::TierError> {
    let header = Header {
        token: lease.token(),
        ..prepared.header.clone()
    };
    let bytes = encode(&header, key.full(), &prepared.payload);
    let entry = Store {
        token: lease.token(),
        schema_version: prepared.yields_above,
        bytes: &bytes,
        life: prepared.life,
    };
    core.tier.store(key.text(), entry, within).await
}

/// The value as an entry of the memory tier, if it may have it.
pub(super) fn memory_entry(
    parts: Parts<'_>,
    value: &Erased,
    prepared: &Prepared,
) -> Option<MemoryEntry> {
    let life = memory_life(parts.core, parts.policy, prepared.life)?;
    let now = parts.core.clock.now();
    Some(MemoryEntry {
        value: Arc::clone(value),
        of: *parts.reader,
        schema: prepared.header.schema,
        promoted: false,
        full_key: parts.key.full().map(Into::into),
        absent: prepared.header.absent,
        size: prepared.size,
        born: now,
        fresh_until: now.saturating_add(millis(life)),
    })
}
