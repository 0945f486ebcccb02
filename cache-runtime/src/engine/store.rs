//! The end of a load: Redis first, presenting the lease, then memory, then the waiters.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    Core,
    budget::Budget,
    call::Call,
    evict::EvictTask,
    failures::Pause,
    labels::{Burden, MOST_TAGS, Question, View},
    lead::{Lead, Led, Right},
    lease::Lease,
    read::{care, kept_until, millis},
    selection::{Item, Target},
    spans::shown,
};
use crate::{
    entry::{Carried, EncodeError, Erased, Header, Token, Top, encode},
    flight::{Flight, InHand, Outcome},
    key::Key,
    observe::{Count, Counters, Served, Why},
    policy::{Life, Resolved},
    tags::{Fold, Label, Labelling},
    tiers::{
        Announce, Store, Stored, TierError,
        memory::{Birth, NewEntry, Particulars, Reader, Term},
    },
};

/// What a site wants done with a value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    /// `unless` said not to store it.
    pub(crate) veto: bool,
    /// What `ttl_from` said.
    pub(crate) ttl: Option<Duration>,
    /// How long the load took.
    pub(crate) took: Duration,
    /// The tags the value has named.
    pub(crate) tags: Vec<Label>,
}

/// A value ready to be stored.
pub(super) struct Prepared {
    header: Header,
    /// Its birth by the memory clock: the store takes its time, and both tiers count from the same moment.
    born: u64,
    /// Entries of a higher schema version than this stay.
    yields_above: u32,
    /// Empty where only memory takes it.
    payload: Vec<u8>,
    size: usize,
    /// How long it is kept, past its ttl where a policy may allow that.
    pub(super) life: Duration,
    fresh: Duration,
    /// The tags the value has named, beside those its function gives it anyway.
    pub(super) late: Vec<Label>,
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
    /// Ends the flight with a value; whether a tier has it now.
    pub(super) async fn finish(
        mut self: Box<Self>,
        call: &mut Call,
        value: Erased,
        wish: Wish,
    ) -> bool {
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
            Ok(prepared) if self.right == Right::Nothing || self.is_overtaken(call, &prepared) => {
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
        kept
    }

    /// Whether an eviction came first, or when it began a tag was held that only the value has named.
    fn is_overtaken(&self, call: &Call, prepared: &Prepared) -> bool {
        let held = |tag: &Label| call.core.cells.cell(tag).is_held(self.began);
        self.guard.flight().is_marked() || prepared.late.iter().any(held)
    }

    /// What the waiters get. While everything is heard, all who joined had joined before any eviction: one that this process made or has
    /// heard of took the flight out of the table, and an accepted store says that there was no other. Else the value is
    /// for those who called before its load began.
    fn outcome(&self, call: &Call, value: &Erased, kept: bool) -> Outcome {
        let flight = self.guard.flight();
        let alone = !call.core.tier.is_present();
        // An eviction this process has made or heard of took the flight out of the table.
        let overtaken = flight.is_marked() && !self.lost;
        let value = Arc::clone(value);
        if alone || (call.core.hears(flight) && (kept || overtaken)) {
            Outcome::Value(value)
        } else {
            flight.as_of(value)
        }
    }

    /// Ends the flight of a load that failed: with `shared`, or else with what is in hand, which hides errors. The origin is then
    /// left alone for a while, in the fleet if there is a lease to say so under.
    pub(super) async fn failed(
        mut self: Box<Self>,
        call: &mut Call,
        mut shared: Option<Outcome>,
    ) -> Option<Erased> {
        let now = call.core.clock.now();
        if !call.is_refresh()
            && let Some(shared) = shared.take()
        {
            self.guard.end(shared, None);
            return None;
        }
        let first = call.policy.fresh.pause();
        let is_stale = |it: &InHand| now >= it.ttl_until;
        // A value that is still fresh can wait; one that is not should not, once the origin is back.
        let pause = if !call.is_refresh() || call.in_hand.as_ref().is_some_and(is_stale) {
            Pause::Constant
        } else {
            Pause::Doubling
        };
        let key = call.key.text();
        let pause = call.core.failures.failed(key, now, first, pause);
        if let (Some(lease), Some(within)) = (self.lease.take(), call.budget.left()) {
            let (tier, asked) = (Arc::clone(&call.core.tier), Instant::now());
            let answer = tier.fail(key, lease.token(), pause, within).await;
            if call.budget.book(asked, answer, &call.counters).is_some() {
                lease.disarm();
            }
        }
        if let Some(shared) = shared {
            self.guard.end(shared, None);
            return None;
        }
        match self.end_stale(call, Why::Failed) {
            Led::Stale(why) => call.served = Served::Stale(why),
            _ => return None,
        }
        let in_hand = call.in_hand.as_ref();
        in_hand.map(|it| Arc::clone(&it.value))
    }

    /// Whether a tier has the value now, and what memory is to have.
    async fn store(
        &mut self,
        call: &mut Call,
        value: &Erased,
        prepared: Prepared,
    ) -> (bool, Option<NewEntry>) {
        let token = self.lease.as_ref().map(Lease::token);
        let kept = match (self.right, self.lease.take(), self.burden.take()) {
            (Right::Store, Some(lease), Some(burden)) => {
                store(call, lease, &prepared, *burden).await
            }
            _ => Kept::Unknown,
        };
        if kept == Kept::Refused {
            self.lost = true;
            call.counters.add(Count::RefusedStore);
            return (false, None);
        }
        let token = token.filter(|_| kept == Kept::Yes);
        let entry = memory_entry(
            call_parts(call),
            value,
            &prepared,
            self.guard.flight(),
            token,
        );
        (kept == Kept::Yes || entry.is_some(), entry)
    }

    /// The successor of what is stored is known, and is not to be stored.
    async fn remove(&mut self, call: &mut Call) {
        call.core.memory.remove(call.hash, call.key.text());
        let may_be_in_redis = self.seen.is_some() || call.refresh;
        if may_be_in_redis && call.policy.redis {
            let item = Item::evict(Target::Key(call.key.clone()));
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
    pub(super) labelling: &'a Labelling,
    pub(super) watch: Option<&'a Arc<AtomicU64>>,
}

fn call_parts(call: &Call) -> Parts<'_> {
    Parts {
        core: &call.core,
        key: &call.key,
        reader: &call.reader,
        policy: &call.policy,
        counters: &call.counters,
        labelling: &call.labelling,
        watch: call.watch.as_ref(),
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
    let mut late = wish.tags;
    let tags = &parts.labelling.tags;
    late.retain(|tag| tags.iter().all(|cell| cell.label() != tag));
    if tags.len() + late.len() > MOST_TAGS {
        tracing::warn!(
            cache = parts.core.settings.name,
            region = parts.key.region(),
            key = shown(parts.core, parts.key),
            "an entry has more than {MOST_TAGS} tags and is not stored"
        );
        return Err(Unstored::Remove);
    }
    let (payload, size) = encoded(parts, value, for_redis)?;
    let now = parts.core.tier.now();
    let fresh_until = now.saturating_add(millis(life));
    let kept = parts.policy.lifetimes.kept(life);
    Ok(Prepared {
        header: Header {
            token: Token::random(),
            absent: top == Top::None,
            expired: false,
            schema: parts.policy.schema,
            birth: now,
            fresh_until,
            stale_until: now.saturating_add(millis(kept)),
            load_time: wish.took,
            template: parts.reader.template,
            instance: parts.reader.instance,
            region: u16::try_from(parts.labelling.root.region().len()).unwrap_or_default(),
            fold: Fold::of([]),
        },
        born: parts.core.clock.now(),
        yields_above: parts.policy.schema,
        payload,
        size,
        life: kept,
        fresh: life,
        late,
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
async fn store(call: &mut Call, lease: Lease, prepared: &Prepared, burden: Burden) -> Kept {
    let (core, counters) = (Arc::clone(&call.core), Arc::clone(&call.counters));
    let parts = Parts {
        core: &core,
        key: &call.key,
        reader: &call.reader,
        policy: &call.policy,
        counters: &counters,
        labelling: &call.labelling,
        watch: None,
    };
    let Some(tags) = all_tags(parts, prepared, &burden, &mut call.budget).await else {
        return if call.budget.left().is_some() {
            Kept::Refused
        } else {
            Kept::Unknown
        };
    };
    let Some(within) = call.budget.left() else {
        return Kept::Unknown;
    };
    let asked = Instant::now();
    let bytes = bytes(parts, &lease, prepared, burden.fold, &tags);
    let answer = store_once(parts, &lease, prepared, &bytes, Announce::Waiters, within).await;
    match call.budget.book(asked, answer, &counters) {
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

/// The generations of all tags of an entry; `None` if it must not be stored under one of them, or nobody knows.
///
/// Those that only the value has named are ordered by the fleet's logical clock, as it was when the load began. Its order means nothing
/// over two connections, which may lead to two servers.
pub(super) async fn all_tags(
    parts: Parts<'_>,
    prepared: &Prepared,
    burden: &Burden,
    budget: &mut Budget,
) -> Option<Vec<Carried>> {
    let Parts {
        core,
        counters,
        labelling,
        ..
    } = parts;
    let mut view = View::default();
    let mut question = Question::of_tags(core, &prepared.late, prepared.life);
    if prepared.life > burden.life {
        // The labels, and the region in the registry, must outlive the entry, which lives longer than anybody knew.
        question.add_all(core, labelling);
    }
    if !question.is_empty() {
        let (within, asked) = (budget.left()?, Instant::now());
        let answer = core.tier.labelled(question.ask(labelling), within).await;
        let answer = budget.book(asked, answer, counters)?;
        question.learn_all(core, labelling, &answer, &mut view);
    }
    let mut tags = burden.tags.clone();
    if !prepared.late.is_empty() {
        let clock = burden
            .clock
            .filter(|_| core.tier.connection() == burden.connection)?;
        tags.extend(view.late_tags(core, &prepared.late, clock)?);
    }
    Some(tags)
}

/// The bytes of an entry.
pub(super) fn bytes(
    parts: Parts<'_>,
    lease: &Lease,
    prepared: &Prepared,
    fold: Fold,
    tags: &[Carried],
) -> Vec<u8> {
    let header = Header {
        token: lease.token(),
        fold,
        ..prepared.header.clone()
    };
    encode(&header, parts.key.full(), tags, &prepared.payload)
}

/// One store command.
pub(super) async fn store_once(
    parts: Parts<'_>,
    lease: &Lease,
    prepared: &Prepared,
    bytes: &[u8],
    announce: Announce,
    within: Duration,
) -> Result<Stored, TierError> {
    let entry = Store {
        token: lease.token(),
        schema_version: prepared.yields_above,
        bytes,
        life: prepared.life,
        announce,
    };
    parts.core.tier.store(parts.key.text(), entry, within).await
}

/// The value as an entry of the memory tier, if it may have it.
pub(super) fn memory_entry(
    parts: Parts<'_>,
    value: &Erased,
    prepared: &Prepared,
    flight: &Flight,
    token: Option<Token>,
) -> Option<NewEntry> {
    let late: Vec<_> = prepared
        .late
        .iter()
        .map(|tag| parts.core.cells.cell(tag))
        .collect();
    let now = prepared.born;
    let until = |life: Duration| now.saturating_add(millis(life));
    let ends = (until(prepared.fresh), until(prepared.life));
    let kept_until = kept_until(parts.core, parts.policy, now)?;
    let took = u32::try_from(prepared.header.load_time.as_micros()).unwrap_or(u32::MAX);
    let term = Term::new(now, ends, kept_until, took);
    let (base, own) = flight.stamp.with(&late);
    let birth = Birth {
        of: Reader {
            schema: Some(prepared.header.schema),
            ..*parts.reader
        },
        promoted: false,
        base,
    };
    let own = Particulars {
        own,
        full_key: parts.key.full(),
        care: care(parts.policy, &term, token, parts.watch),
    };
    let (memory, text) = (&parts.core.memory, parts.key.text());
    Some(NewEntry {
        entry: memory.entry(text, birth, own, &term, prepared.size, value),
        late: !late.is_empty(),
    })
}
