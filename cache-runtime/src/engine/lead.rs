//! The leader of a flight, up to the load: read Redis, take the lease, or wait for whoever has it.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    call::Call,
    judge::{Judged, Suspect},
    labels::{Burden, Question, View},
    lease::{Ended, LEASE, Lease},
    read::Stored,
    spans::shown,
};
use crate::{
    entry::{Erased, Token},
    flight::{FlightGuard, FlightKind, Outcome},
    observe::{Served, Why},
    tiers::{Acquire, Acquired, LeaseKind, memory::NewEntry},
};

/// Polling of a lease another process holds, while nobody tells when it ends.
const POLL_FIRST: Duration = Duration::from_millis(5);
const POLL_LAST: Duration = Duration::from_millis(50);
/// Where the bus does: in case that its message was lost.
const POLL_BENEATH: Duration = Duration::from_millis(500);

/// Where the value may be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    /// Redis (if there is a lease) and memory.
    Store,
    /// Memory only: Redis did not answer, or holds a newer schema.
    Memory,
    /// Nowhere.
    Nothing,
}

/// The leader of a flight. Dropping it gives the lease back, then hands the key over.
///
/// What few need is in boxes: every hit in Redis makes one of these.
#[derive(Debug)]
pub(crate) struct Lead {
    // The lease goes before the waiters wake.
    pub(super) lease: Option<Lease>,
    pub(super) guard: FlightGuard,
    pub(super) right: Right,
    /// No later than its load, by the memory clock: what is held at any time from then on is not stored.
    pub(super) began: u64,
    /// The lease was broken, or ran out: somebody else may have evicted the key.
    pub(super) lost: bool,
    /// What is stored and was of no use.
    pub(super) seen: Option<Token>,
    /// What is stored is no entry: the store takes its place whatever version it seems to have.
    pub(super) damaged: bool,
    /// What is known of the labels.
    pub(super) view: View,
    /// What is stored, and may be alive after all.
    pub(super) suspect: Option<Box<Suspect>>,
    /// What memory gets if a value past its ttl is served.
    pub(super) stale: Option<Box<NewEntry>>,
    /// What the entry is going to carry; there with the lease.
    pub(super) burden: Option<Box<Burden>>,
    /// How often the tier had gone to another server when the journal was asked.
    pub(super) moves: u64,
}

/// How preparing ended.
pub(crate) enum Led {
    /// Redis had it.
    Serve(Erased),
    /// What is in hand, past its ttl.
    Stale(Why),
    /// Run the origin.
    Load(Box<Lead>),
    /// The wait for another process ran out.
    GaveUp,
    /// The caller would rather not wait any longer.
    Impatient,
    /// There is nothing to do for a refresh.
    Needless,
}

/// One look at what Redis has.
enum Look {
    Serve(Erased),
    Go(Box<Lead>),
}

impl Lead {
    pub(super) fn new(guard: FlightGuard) -> Box<Self> {
        let right = match guard.flight().kind {
            FlightKind::Unstored => Right::Nothing,
            _ if guard.flight().held => Right::Nothing,
            _ => Right::Store,
        };
        Box::new(Self {
            guard,
            lease: None,
            right,
            began: 0,
            lost: false,
            seen: None,
            damaged: false,
            view: View::default(),
            suspect: None,
            stale: None,
            burden: None,
            moves: 0,
        })
    }

    /// Everything between registration and the load.
    pub(super) async fn prepare(mut self: Box<Self>, call: &mut Call) -> Led {
        self.began = call.core.clock.now();
        let flight = self.guard.flight();
        call.flight = Some(Arc::clone(flight));
        if let Some(in_hand) = call.in_hand.as_ref().filter(|_| call.is_refresh()) {
            flight.replaces(in_hand.ttl_until);
        }
        call.look_at_hand_again();
        call.show();
        if self.guard.flight().kind == FlightKind::Unstored {
            return Led::Load(self);
        }
        if !call.policy.redis && call.core.tier.is_present() {
            Box::pin(self.register(call)).await;
        }
        if !self.may_use_redis(call) {
            return Led::Load(self);
        }
        // Who refreshes has seen what is stored.
        self.seen = call.seen();
        if !call.refresh && self.seen.is_none() {
            match self.look(call).await {
                Look::Serve(value) => return Led::Serve(value),
                Look::Go(lead) => self = lead,
            }
            self.guard.flight().look_is_over();
        }
        if let Some(why) = call.serves_in_hand() {
            return self.end_stale(call, why);
        }
        if call.budget.left().is_none() || self.right == Right::Memory {
            return Led::Load(self);
        }
        Box::pin(self.acquire(call)).await
    }

    /// Ends the flight with what is in hand.
    pub(super) fn end_stale(mut self: Box<Self>, call: &Call, why: Why) -> Led {
        let flight = self.guard.flight();
        let outcome = match call.in_hand_for_all() {
            Some(in_hand) if self.is_sure(call) => Outcome::Stale(in_hand, why, None),
            Some(_) => flight.stale_as_of(why),
            None => Outcome::Abandoned,
        };
        let entry = self.stale.take().map(|entry| *entry);
        self.guard.end(outcome, entry);
        Led::Stale(why)
    }

    /// Whether everything was heard that could concern what this flight has found.
    fn is_sure(&self, call: &Call) -> bool {
        !call.core.tier.is_present() || call.core.is_sure(self.guard.flight())
    }

    /// Only what Redis has.
    pub(super) async fn read_only(mut self: Box<Self>, call: &mut Call) -> Option<Erased> {
        if !self.may_use_redis(call) {
            return None;
        }
        match self.look(call).await {
            Look::Serve(value) => Some(value),
            Look::Go(_) => None,
        }
    }

    fn may_use_redis(&mut self, call: &Call) -> bool {
        self.moves = call.core.lately.moves();
        let (key, labelling) = (&call.key, &call.labelling);
        call.core.may_use_redis(key, labelling, &call.budget)
    }

    /// The plain `GET` every hit costs, and with it what no cell knows of the labels.
    async fn look(mut self: Box<Self>, call: &mut Call) -> Look {
        let Some(within) = call.budget.left() else {
            return Look::Go(self);
        };
        let question = Question::of_hit(&call.core, &call.labelling);
        let asked = call.moment();
        self.guard.flight().asks_at(asked);
        let tier = &call.core.tier;
        let answer = tier.read(call.key.text(), question.labels(), within).await;
        let Some(read) = call.budget.answered(answer, &call.counters) else {
            self.without_redis();
            return Look::Go(self);
        };
        question.learn(&call.core, &read.labels, &mut self.view);
        let judged = match &read.value {
            Some(bytes) => self.judge_now(call, bytes),
            None => Judged::Useless,
        };
        if let Judged::Alive(stored) = judged {
            call.served = Served::Redis;
            return Look::Serve(self.serve(call, stored));
        }
        // A hit asks nothing more, so what it has left is no matter.
        call.budget.spend(asked);
        let Judged::Asks(asks) = judged else {
            return Look::Go(self);
        };
        let Ok(stored) = Box::pin(self.ask_labels(call, *asks)).await else {
            return Look::Go(self);
        };
        call.served = Served::Redis;
        Look::Serve(self.serve(call, stored))
    }

    /// Asks for the lease until there is a value, a lease, or no more patience.
    async fn acquire(mut self: Box<Self>, call: &mut Call) -> Led {
        let (core, key) = (Arc::clone(&call.core), call.key.clone());
        let wake = core.wakes.of(key.text());
        let (mut pause, mut unusable, mut waited) = (POLL_FIRST, 0, false);
        loop {
            let (budget, rung) = (call.budget.left(), wake.rung());
            let Some((answer, lease)) = self.ask(call).await else {
                self.without_redis();
                return Led::Load(self);
            };
            let leads = answer == Acquired::Lead;
            if let Some(stored) = self.cleared(call).filter(|_| !answer.is_value()) {
                if !leads {
                    lease.disarm();
                }
                call.served = Served::Redis;
                return Led::Serve(self.serve(call, stored));
            }
            if leads {
                if let Some(why) = call.serves_in_hand() {
                    // Dropping the lease gives it back.
                    drop(lease);
                    return self.end_stale(call, why);
                }
                return Led::Load(self.with_lease(call, lease));
            }
            lease.disarm();
            match answer {
                Acquired::Value(bytes) => {
                    if let Ok(value) = self.judge(call, &bytes).await {
                        call.served = if waited {
                            Served::Shared
                        } else {
                            Served::Redis
                        };
                        return Led::Serve(self.serve(call, value));
                    }
                    unusable += 1;
                    // One that is suspect is not unusable yet.
                    if unusable >= 2 && self.suspect.is_none() {
                        self.right = Right::Nothing;
                    }
                    if self.right != Right::Store {
                        return Led::Load(self);
                    }
                }
                Acquired::Held { by_put: false } if call.waits_for_leases() => {
                    waited = true;
                    call.budget.restore(budget);
                    let Some(until) = next_look(call, &mut pause) else {
                        return Led::GaveUp;
                    };
                    let patience = call.patience();
                    if patience.is_some_and(|patience| Instant::now() >= patience) {
                        return Led::Impatient;
                    }
                    wake.wait(rung, patience.map_or(until, |patience| until.min(patience)))
                        .await;
                }
                Acquired::Failed { left } => {
                    let now = core.clock.now();
                    core.failures.heard(key.text(), now, left);
                    match call.serves_in_hand() {
                        Some(why) => return self.end_stale(call, why),
                        None if call.is_refresh() => return Led::Needless,
                        // What was in hand ended meanwhile: the note is for those who have something.
                        None => {}
                    }
                }
                Acquired::Held { .. } | Acquired::Hold if call.is_refresh() => {
                    return Led::Needless;
                }
                Acquired::Held { .. } | Acquired::Hold | Acquired::Lead => {
                    self.right = Right::Nothing;
                    return Led::Load(self);
                }
            }
        }
    }

    /// The lease is there; without a generation of every label it is of no use.
    fn with_lease(mut self: Box<Self>, call: &Call, lease: Lease) -> Box<Self> {
        if self.burden.is_some() {
            self.lease = Some(lease);
        } else {
            tracing::debug!(
                cache = call.core.settings.name,
                region = call.key.region(),
                key = shown(&call.core, &call.key),
                "a label is held: the load is not stored"
            );
            self.right = Right::Nothing;
        }
        self
    }

    /// A site without Redis still has the region of its template registered, before its first load.
    async fn register(&mut self, call: &Call) {
        let core = &call.core;
        let life = call.policy.lifetimes.longest();
        let Some(question) = Question::of_template(core, &call.labelling, life) else {
            return;
        };
        let within = core.settings.redis_budget;
        let ask = question.ask(&call.labelling);
        match core.tier.labelled(ask, within).await {
            Ok(answer) => question.learn_all(core, &call.labelling, &answer, &mut self.view),
            Err(_) => self.right = Right::Nothing,
        }
    }

    /// One request for the lease; `None` without an answer. Dropping the lease gives back what may have been granted.
    async fn ask(&mut self, call: &mut Call) -> Option<(Acquired, Lease)> {
        let within = call.budget.left()?;
        let lease = Lease::asked(&call.core, &call.key);
        let ask = Acquire {
            token: lease.token(),
            seen: self.seen,
            ignore_value: call.refresh,
            lease: LEASE,
            kind: LeaseKind::Load,
            waits: call.waits_for_leases(),
            heeds_failures: call.heeds_failures(),
        };
        let more = self
            .suspect
            .as_ref()
            .map(|suspect| suspect.stored.entry().tag_labels());
        let life = call.policy.lifetimes.longest();
        let question = Question::of_load(
            &call.core,
            &call.labelling,
            life,
            more.as_deref().unwrap_or_default(),
        );
        // What is in hand, and may be served after this, is as old as the look that found it.
        if self.suspect.is_none() {
            self.guard.flight().asks_now();
        }
        let asked = Instant::now();
        let tier = &call.core.tier;
        let labels = question.ask(&call.labelling);
        let answer = tier.acquire(call.key.text(), ask, labels, within).await;
        let (answer, labelled) = call.budget.book(asked, answer, &call.counters)?;
        self.view = View::default();
        question.learn_all(&call.core, &call.labelling, &labelled, &mut self.view);
        let (core, labelling) = (&call.core, &call.labelling);
        let burden = self.view.burden(core, labelling, labelled.clock, life);
        self.burden = burden.map(Box::new);
        Some((answer, lease))
    }

    /// Ends the flight with a value from Redis.
    fn serve(self: Box<Self>, call: &mut Call, stored: Stored) -> Erased {
        let flight = self.guard.flight();
        let value = Arc::clone(&stored.value);
        let entry = self.promoted(call, &stored);
        call.look_at(&stored);
        let outcome = if call.core.is_sure(flight) {
            Outcome::Value(Arc::clone(&value))
        } else {
            flight.as_of(Arc::clone(&value))
        };
        self.guard.end(outcome, entry);
        value
    }

    pub(super) fn without_redis(&mut self) {
        self.right = self.right.at_most(Right::Memory);
    }

    /// Renews the lease for as long as it is polled; runs beside the load and never ends.
    pub(super) async fn renew(&mut self, within: Duration) -> std::convert::Infallible {
        let Some(lease) = &self.lease else {
            return std::future::pending().await;
        };
        let ended = tokio::select! {
            biased;
            ended = lease.renew(within) => ended,
            () = self.guard.flight().until_marked() => Ended::Marked,
        };
        self.right = Right::Nothing;
        match (ended, self.lease.take()) {
            // Later callers start a load of their own.
            (Ended::Lost, Some(lease)) => {
                self.lost = true;
                lease.disarm();
                self.guard.mark();
            }
            (Ended::TooLong, _) => {
                self.lost = true;
                self.guard.mark();
            }
            // Dropped, which gives it back at once.
            (Ended::Marked, _) | (Ended::Lost, None) => {}
        }
        std::future::pending().await
    }
}

impl Right {
    /// The smaller of two rights.
    pub(super) fn at_most(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, _) | (_, Self::Nothing) => Self::Nothing,
            (Self::Memory, _) | (_, Self::Memory) => Self::Memory,
            _ => Self::Store,
        }
    }
}

impl Acquired {
    fn is_value(&self) -> bool {
        matches!(self, Self::Value(_))
    }
}

/// When to ask again if nobody says that it is time, later each time; `None` when the call's wait is over.
fn next_look(call: &mut Call, pause: &mut Duration) -> Option<Instant> {
    let deadline = call.deadline();
    let now = Instant::now();
    if now >= deadline {
        return None;
    }
    let jitter = fastrand::f64();
    let listens = call.core.listening();
    let after = if listens.is_some() {
        POLL_BENEATH.mul_f64(1.0 + 0.5 * jitter)
    } else {
        let jittered = pause.mul_f64(0.5 + 0.5 * jitter);
        *pause = (*pause * 2).min(POLL_LAST);
        jittered
    };
    Some((now + after).min(deadline))
}
