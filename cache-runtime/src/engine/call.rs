//! One call that found nothing in memory: join a load, or lead one.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    Core,
    budget::Budget,
    chain,
    lead::{Lead, Led},
    read::from_memory,
    refresh::Claim,
    shown::Shown,
    told::Told,
};
use crate::{
    cache::scope,
    entry::{CacheValue, Erased},
    flight::{Flight, FlightKind, InHand, Outcome, Registered, RetryPermit, SharedError, Wanted},
    key::{Key, LateTemplate},
    observe::{Count, Counters, Served, Why},
    policy::{MemoryUse, Own, Resolved, StampedeProtection},
    tags::{Label, Labelling},
    tiers::memory::{Due, KeyHash, Reader, Remembered},
};

/// No wait is longer, whatever `wait_timeout` says: beyond it timers cannot count.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);
/// How long those whose wait ran out wait for the load they share. Its leader may have stopped polling it.
const LONGEST_SHARED: Duration = Duration::from_secs(30);

/// What the caller of [`Call::next`] does.
pub(crate) enum Step {
    /// Return this value.
    Serve(Erased),
    /// Give up: `hard_timeout` is over.
    GiveUp,
    /// Return an error made from this one; if that cannot be done, say [`Call::failed_alone`] and go on.
    Fail(SharedError),
    /// Run the origin.
    Load(Role),
}

/// In whose name the origin runs.
pub(crate) enum Role {
    /// For all who joined; [`Lead`] ends the flight.
    Lead(Box<Lead>),
    /// For this caller alone; nothing is stored.
    Alone,
}

/// What a call's entry is tagged with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tags {
    pub(crate) known: Vec<Label>,
    /// The value will name more.
    pub(crate) late: bool,
    /// Those it names through templates.
    pub(crate) templates: Vec<LateTemplate>,
}

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// An answer; the load, if there is one, ends with the call.
    Answer,
    /// An answer; the load may outlive the call, and others may run in the background.
    AnswerOwned,
    /// A new value in the place of the one in hand.
    Refresh,
}

/// A call on its way.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) core: Arc<Core>,
    pub(crate) key: Key,
    pub(crate) hash: KeyHash,
    pub(crate) reader: Reader,
    pub(crate) policy: Resolved,
    pub(crate) counters: Arc<Counters>,
    /// Skip what is stored and load.
    pub(crate) refresh: bool,
    pub(crate) budget: Budget,
    pub(crate) labelling: Labelling,
    /// Tags that wait for the value.
    pub(crate) late: Vec<LateTemplate>,
    /// What its policy wants to ask of the value; an annotated function has [`Hooks`](crate::site::Hooks) for that.
    pub(crate) own: Option<Arc<Own>>,
    pub(crate) served: Served,
    pub(crate) purpose: Purpose,
    /// A value it has and would rather not serve.
    pub(crate) in_hand: Option<InHand>,
    /// The load that it leads or waits for: once that is overtaken by an eviction, so is what is in hand.
    pub(super) flight: Option<Arc<Flight>>,
    /// Who waits for it, if he may leave before its end.
    pub(super) shown: Option<Shown>,
    /// Its load's value is in a tier.
    pub(crate) stored: bool,
    /// A refresh wants what was born after this, by the memory clock.
    pub(crate) newer_than: Option<u64>,
    /// The last use of its key, where that is of interest.
    pub(crate) watch: Option<Arc<AtomicU64>>,
    /// What the value that was found in Redis calls for.
    pub(crate) due: Option<Due>,
    /// Who is told how it was answered.
    pub(crate) told: Option<Box<Told>>,
    pub(super) began: Instant,
    /// It has not waited for anything since: what it asks Redis it asks at that moment.
    prompt: bool,
    /// Somebody wants to know how it goes: a span is around it.
    pub(super) spanned: bool,
    wait_until: Option<Instant>,
    /// Share a load that is not stored: the wait ran out, or a put runs.
    unstored: bool,
    /// The load this call waited for failed: it runs the origin itself.
    failed: bool,
    /// Memory has a value of another type.
    foreign: bool,
    /// Held until the call ends.
    turn: Option<RetryPermit>,
}

impl Call {
    pub(crate) fn new(
        core: Arc<Core>,
        key: Key,
        reader: Reader,
        policy: Resolved,
        counters: Arc<Counters>,
        refresh: bool,
        tags: Tags,
    ) -> Self {
        let hash = core.hash(key.text());
        let labelling = core.labelling(&key, &tags.known, tags.late);
        let budget = if policy.redis && core.tier.is_present() {
            core.wake();
            Budget::new(core.settings.redis_budget)
        } else {
            Budget::none()
        };
        Self {
            core,
            key,
            hash,
            reader,
            policy,
            counters,
            refresh,
            budget,
            labelling,
            late: tags.templates,
            own: None,
            served: Served::Loaded,
            purpose: Purpose::Answer,
            in_hand: None,
            flight: None,
            shown: None,
            stored: false,
            newer_than: None,
            watch: None,
            due: None,
            told: None,
            began: Instant::now(),
            prompt: true,
            spanned: false,
            wait_until: None,
            unstored: false,
            failed: false,
            foreign: false,
            turn: None,
        }
    }

    /// What its entry is tagged with.
    pub(super) fn tags(&self) -> Tags {
        let known = self.labelling.tags.iter();
        Tags {
            known: known.map(|tag| tag.label().clone()).collect(),
            late: self.labelling.late,
            templates: self.late.clone(),
        }
    }

    /// The same call once more, without what it has found out but for what it has in hand.
    pub(super) fn again(&self) -> Self {
        let mut again = Self::new(
            Arc::clone(&self.core),
            self.key.clone(),
            self.reader,
            self.policy,
            Arc::clone(&self.counters),
            self.refresh,
            self.tags(),
        );
        again.own = self.own.clone();
        again.purpose = self.purpose;
        again.in_hand = self.in_hand.clone();
        again.flight = self.flight.clone();
        again.watch = self.watch.clone();
        again.told = self.told.clone();
        again.began = self.began;
        again.prompt = false;
        again
    }

    pub(super) fn reads_memory(&self) -> bool {
        self.policy.memory != MemoryUse::Off && !self.refresh
    }

    /// A usable entry in memory.
    pub(super) fn entry(&self) -> Option<Remembered> {
        let (key, labelling) = (&self.key, &self.labelling);
        self.reads_memory()
            .then(|| from_memory(&self.core, self.hash, key, &self.reader, labelling))
            .flatten()
    }

    /// A usable value in memory.
    pub(crate) fn in_memory(&self) -> Option<Erased> {
        self.entry()?.value_as(&self.reader)
    }

    /// The same, and the right to refresh it, if this hit calls for that.
    pub(crate) fn hit<V: CacheValue>(&self) -> Option<(V, Option<Claim>)> {
        let entry = self.entry()?;
        let value = entry.typed::<V>(&self.reader)?;
        let claim = (self.due_of(&entry) == Some(Due::Refresh))
            .then(|| Claim::of(&self.core, &entry))
            .flatten();
        Some((value, claim))
    }

    /// [`stored_now`](Self::stored_now), counted.
    pub(crate) async fn stored(self) -> Option<Erased> {
        let counters = Arc::clone(&self.counters);
        if let Some(value) = self.in_memory() {
            counters.add(Count::L1Hit);
            return Some(value);
        }
        let value = self.stored_now().await;
        counters.add(if value.is_some() {
            Count::L2Hit
        } else {
            Count::Miss
        });
        value
    }

    /// A usable value in either tier, without loading; one found in Redis goes into memory.
    pub(crate) async fn stored_now(mut self) -> Option<Erased> {
        match self.in_memory() {
            Some(value) => Some(value),
            None => self.in_redis().await,
        }
    }

    /// A usable value in Redis, without loading; it goes into memory. One past its ttl is in hand then, if that may be of use.
    async fn in_redis(&mut self) -> Option<Erased> {
        let Self {
            core,
            key,
            hash,
            reader,
            labelling,
            ..
        } = &self;
        let flights = Arc::clone(&core.flights);
        let begin = || core.beginning(key.text(), labelling);
        let wanted = Wanted {
            reader: *reader,
            kind: FlightKind::Alone,
            tags: &labelling.tags,
        };
        let registered = flights.register(key, *hash, wanted, begin, || None);
        match registered {
            Registered::Leads(guard) => Lead::new(guard).read_only(self).await,
            // A put's body runs: what is stored is about to be old.
            _ => None,
        }
    }

    /// Now, or when the call began, if that was just now. Once.
    pub(super) fn moment(&mut self) -> Instant {
        if std::mem::take(&mut self.prompt) {
            self.began
        } else {
            Instant::now()
        }
    }

    /// The end of all waiting of this call; the clock starts at the first wait.
    pub(super) fn deadline(&mut self) -> Instant {
        let timeout = self.policy.wait_timeout.min(LONGEST_WAIT);
        *self
            .wait_until
            .get_or_insert_with(|| Instant::now() + timeout)
    }

    /// The wait ran out.
    pub(super) fn give_up_waiting(&mut self) {
        self.counters.add(Count::WaitTimeout);
        self.share_unstored(LONGEST_SHARED.max(self.policy.wait_timeout));
    }

    /// From here on this call shares a load that is not stored, and waits for it at most this long.
    fn share_unstored(&mut self, patience: Duration) {
        self.unstored = true;
        self.wait_until = Some(Instant::now() + patience.min(LONGEST_WAIT));
    }

    /// What to do now. After [`Step::Fail`] it may be asked again, after the others not.
    pub(crate) async fn next(&mut self) -> Step {
        if chain::contains(self.core.id(), &self.key) {
            self.served = Served::Bypassed(Why::Recursion);
            return Step::Load(Role::Alone);
        }
        loop {
            self.look_for_stale();
            if let Some(step) = self.without_waiting() {
                return step;
            }
            // Before the flight is registered: the replay marks what runs.
            if self.core.journal.len() > 0 {
                self.prompt = false;
                let (key, labelling) = (&self.key, &self.labelling);
                let cleared =
                    self.core
                        .clear_journal(key, labelling, &mut self.budget, &self.counters);
                Box::pin(cleared).await;
            }
            self.prompt &= !self.failed;
            if self.failed && !Box::pin(self.take_turn()).await {
                return Step::Load(Role::Alone);
            }
            let step = match self.register() {
                Registered::Stored(entry) => {
                    let value = entry.value_as(&self.reader);
                    // Of a type that cannot become the reader's: as good as not there.
                    self.foreign = value.is_none();
                    value.map(|value| {
                        self.served = Served::Memory;
                        Step::Serve(value)
                    })
                }
                Registered::Leads(guard) => match Lead::new(guard).prepare(self).await {
                    Led::Serve(value) => Some(Step::Serve(value)),
                    Led::Stale(why) => self.serve_in_hand(why),
                    Led::Load(lead) => Some(Step::Load(Role::Lead(lead))),
                    Led::GaveUp => self.wait_is_over(),
                    Led::Impatient => self.patience_is_over(),
                    // Only a refresh is told that.
                    Led::Needless => None,
                },
                Registered::PutRuns => self.beside_put(),
                Registered::Joined(_) if self.turn.is_some() => Some(Step::Load(Role::Alone)),
                Registered::Joined(flight) => Box::pin(self.wait_for(&flight)).await,
            };
            if let Some(step) = step {
                return step;
            }
        }
    }

    /// Waits for a turn at the origin; false when there is nothing left to wait for.
    ///
    /// When the wait runs out, the load that is shared by all in that position is tried first; should it fail as
    /// well, they go on in turns, and after [`LONGEST_SHARED`] nobody is held up any longer.
    async fn take_turn(&mut self) -> bool {
        if self.turn.is_none() {
            let deadline = self.deadline();
            self.turn = self.core.retries.turn(self.key.text(), deadline).await;
        }
        if self.turn.is_none() && !self.unstored {
            self.failed = false;
            self.give_up_waiting();
            return true;
        }
        self.turn.is_some()
    }

    /// The leader's error was of no use to this caller.
    pub(crate) fn failed_alone(&mut self) {
        self.failed = true;
        self.served = Served::Loaded;
    }

    pub(super) fn register(&self) -> Registered {
        let Self {
            core,
            key,
            hash,
            reader,
            labelling,
            ..
        } = self;
        let begin = || core.beginning(key.text(), labelling);
        if self.refresh && !self.unstored {
            let guard = core
                .flights
                .overtake(key, *hash, *reader, FlightKind::Load, begin);
            return Registered::Leads(guard);
        }
        let kind = match (self.unstored, self.policy.protection) {
            (true, _) => FlightKind::Unstored,
            (false, StampedeProtection::Off) => FlightKind::Alone,
            (false, _) => FlightKind::Load,
        };
        let wanted = Wanted {
            reader: *reader,
            kind,
            tags: &labelling.tags,
        };
        core.flights.register(key, *hash, wanted, begin, || {
            let readable = !self.unstored
                && !self.foreign
                && self.reads_memory()
                && self.purpose != Purpose::Refresh;
            readable
                .then(|| from_memory(core, *hash, key, reader, labelling))
                .flatten()
        })
    }

    /// A put's body runs: what it writes is not known yet, so the old value is loaded and not stored.
    fn beside_put(&mut self) -> Option<Step> {
        if self.policy.protection == StampedeProtection::Off || self.failed {
            return Some(Step::Load(Role::Alone));
        }
        self.share_unstored(self.policy.wait_timeout);
        None
    }

    fn join(&mut self, outcome: Option<Outcome>) -> Option<Step> {
        match outcome {
            // In doubt whether it is older than an eviction before this call.
            Some(Outcome::AsOf(_, as_of)) if as_of <= self.began => None,
            Some(Outcome::Value(value) | Outcome::AsOf(value, _)) => {
                self.served = Served::Shared;
                Some(Step::Serve(value))
            }
            Some(Outcome::Failed(_) | Outcome::FailedAlone) if self.hides_errors() => {
                self.serve_in_hand(Why::Failed)
            }
            Some(Outcome::Failed(error)) => {
                self.served = Served::Shared;
                Some(Step::Fail(error))
            }
            Some(Outcome::FailedAlone) => {
                self.failed_alone();
                None
            }
            Some(Outcome::Abandoned) => None,
            Some(Outcome::Stale(_, _, Some(as_of))) if as_of <= self.began => None,
            // Another function may have longer windows.
            Some(Outcome::Stale(in_hand, why, _)) if !self.allows(&in_hand, why) => {
                if why == Why::Failed {
                    self.failed_alone();
                }
                None
            }
            Some(Outcome::Stale(in_hand, why, _)) => {
                self.in_hand = Some(in_hand);
                self.serve_in_hand(why)
            }
            // Whoever runs it does not go on with it.
            None if self.unstored => Some(Step::Load(Role::Alone)),
            None => self.wait_is_over(),
        }
    }

    /// Joins a load, for as long as the caller wants to wait.
    async fn wait_for(&mut self, flight: &Arc<Flight>) -> Option<Step> {
        self.prompt = false;
        self.flight = Some(Arc::clone(flight));
        if self.in_hand.is_none() && self.policy.fresh.keeps_stale() {
            let sure = !self.core.tier.is_present() || self.core.is_sure(flight);
            self.in_hand = flight.offered(self.began, sure);
            self.show();
        }
        // A refresh shows what it has seen and does not look; what runs without its callers' knowing is not waited for.
        let (fresh, now) = (&self.policy.fresh, self.core.clock.now());
        let rather_not = fresh.stale_while_revalidate.is_some() || fresh.soft_timeout.is_some();
        if self.in_hand.is_none()
            && ((rather_not && !flight.has_looked()) || flight.replaces_fresh(now))
            && !self.refresh
            && let Some(value) = Box::pin(self.in_redis()).await
        {
            self.served = Served::Redis;
            return Some(Step::Serve(value));
        }
        let now = self.core.clock.now();
        let revalidates = |it: &InHand| it.revalidates(&self.policy.fresh, now);
        if self.in_hand.as_ref().is_some_and(revalidates) {
            return self.serve_in_hand(Why::Revalidating);
        }
        let deadline = self.deadline();
        let patience = self.patience().filter(|patience| *patience < deadline);
        let counters = Arc::clone(&self.counters);
        let waiting = counters.waiting();
        let outcome = flight.wait(patience.unwrap_or(deadline)).await;
        drop(waiting);
        match outcome {
            None if patience.is_some() => {
                let step = self.patience_is_over();
                if let Some(Step::GiveUp) = step {
                    self.served = Served::Shared;
                }
                step
            }
            outcome => self.join(outcome),
        }
    }

    /// Counts and reports how the call was answered.
    pub(crate) fn finished(&self) {
        finished(
            self.served,
            &self.core,
            &self.counters,
            self.told.as_deref(),
        );
    }
}

/// Counts and reports how a call was answered.
pub(super) fn finished(served: Served, core: &Arc<Core>, counters: &Counters, told: Option<&Told>) {
    scope::report(served);
    match served {
        Served::Memory => counters.add(Count::L1Hit),
        Served::Redis => counters.add(Count::L2Hit),
        Served::Shared => {
            counters.add(Count::Miss);
            counters.add(Count::Shared);
        }
        Served::Loaded => counters.add(Count::Miss),
        Served::Stale(_) => counters.add(Count::StaleHit),
        Served::Bypassed(_) => counters.add(Count::Bypassed),
    }
    if let Some(told) = told {
        told.tell(core, counters, served);
    }
}
