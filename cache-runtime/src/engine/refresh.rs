//! Refreshes: a new value in the place of one that is in hand, in the background, once in the fleet.
//!
//! A refresh is a load like every other: it registers a flight, takes the lease, showing the token of what it is to replace, and stores under it. So an
//! eviction that comes between keeps its value out, in every tier. Another process that has refreshed the key meanwhile hands over its value
//! instead of the lease; one that is about to is waited for. Nobody waits for a refresh but callers whose value has died.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Weak, atomic::AtomicU64},
    time::Duration,
};

use tokio::sync::oneshot;
use tracing::Instrument as _;

use super::{
    Core,
    call::{Call, Purpose, Tags},
    failures::Pause,
    lead::{Lead, Led, Right},
    owned::Origin,
    read::in_hand,
    run::{Loaded, complete},
    spans,
};
use crate::{
    cache::scope,
    entry::CacheValue,
    flight::{InHand, Registered},
    key::Key,
    observe::{Count, Counters},
    policy::{Own, Resolved},
    tiers::memory::{Reader, Remembered},
};

/// A value is news to a refresh if it was born so much later than the one in hand, milliseconds: clocks are read at different moments.
const LATER: u64 = 15;
/// A refresh that came to nothing is tried again at the earliest after this.
const PAUSE: u64 = 100;

/// What a background load of a key needs to know.
pub(crate) struct Errand {
    call: Call,
    scope: scope::Surroundings,
}

/// The right to refresh an entry of the memory tier: the one hit that called for it. Dropping it gives it back.
pub(crate) struct Claim {
    core: Arc<Core>,
    entry: Remembered,
    /// Hits may call for a refresh again after so long, milliseconds.
    pause: u64,
}

/// How a refresh ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refreshed {
    /// Somebody else does it, or has done it, or it could not be stored.
    Needless,
    /// There is a new value, loaded here or elsewhere.
    Done,
    /// The load failed: for so long the origin is left alone.
    Failed(Duration),
}

impl Refreshed {
    const fn name(self) -> &'static str {
        match self {
            Self::Needless => "needless",
            Self::Done => "ok",
            Self::Failed(_) => "error",
        }
    }
}

impl Errand {
    /// For the key of a call, under what surrounds it.
    pub(crate) fn of(call: &Call) -> Self {
        let mut call = call.again();
        // What goes on in the background does not overtake, whatever the call was asked for.
        call.refresh = false;
        Self {
            call,
            scope: scope::surroundings(),
        }
    }

    /// To replace this.
    pub(crate) fn with(mut self, in_hand: Option<InHand>) -> Self {
        self.call.newer_than = in_hand.as_ref().map(|it| it.born.saturating_add(LATER));
        self.call.in_hand = in_hand;
        self
    }

    /// What was born at this moment of the memory clock, or before, is to be replaced.
    pub(crate) fn newer_than(mut self, moment: u64) -> Self {
        self.call.newer_than = Some(moment);
        self
    }

    pub(crate) fn call(&self) -> &Call {
        &self.call
    }

    /// Another for the same key.
    pub(crate) fn again(&self) -> Self {
        Self {
            call: self.call.again(),
            scope: self.scope.clone(),
        }
    }

    /// Runs what is done for it where its call ran.
    pub(crate) fn within<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        self.scope.clone().around(work)
    }
}

/// An errand that does not keep its cache alive: what waits for a moment has one.
pub(crate) struct Intent {
    core: Weak<Core>,
    key: Key,
    reader: Reader,
    policy: Resolved,
    counters: Arc<Counters>,
    tags: Tags,
    own: Option<Arc<Own>>,
    watch: Option<Arc<AtomicU64>>,
    scope: scope::Surroundings,
}

impl Intent {
    pub(crate) fn of(errand: &Errand) -> Self {
        let call = &errand.call;
        Self {
            core: Arc::downgrade(&call.core),
            key: call.key.clone(),
            reader: call.reader,
            policy: call.policy,
            counters: Arc::clone(&call.counters),
            tags: call.tags(),
            own: call.own.clone(),
            watch: call.watch.clone(),
            scope: errand.scope.clone(),
        }
    }

    /// `None`: the cache is gone.
    pub(crate) fn errand(&self) -> Option<Errand> {
        let mut call = Call::new(
            self.core.upgrade()?,
            self.key.clone(),
            self.reader,
            self.policy,
            Arc::clone(&self.counters),
            false,
            self.tags.clone(),
        );
        call.own = self.own.clone();
        call.watch = self.watch.clone();
        Some(Errand {
            call,
            scope: self.scope.clone(),
        })
    }
}

impl Claim {
    /// `None`: another hit has called for it.
    pub(crate) fn of(core: &Arc<Core>, entry: &Remembered) -> Option<Self> {
        let claimed = core.memory.care(&entry.entry)?.claim(core.clock.now());
        claimed.then(|| Self {
            core: Arc::clone(core),
            entry: entry.clone(),
            pause: PAUSE,
        })
    }

    /// What is to be refreshed.
    pub(crate) fn in_hand(&self, call: &Call) -> Option<InHand> {
        in_hand(&self.entry, &call.reader)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(care) = self.core.memory.care(&self.entry.entry) {
            care.look_again_at(self.core.clock.now().saturating_add(self.pause));
        }
    }
}

/// Starts a refresh, unless one runs, the origin is to be left alone, or too many run.
pub(crate) fn start<V, E>(errand: Errand, origin: Origin<V, E>, claim: Option<Claim>)
where
    V: CacheValue,
    E: Send + 'static,
{
    let core = Arc::clone(&errand.call.core);
    let key = errand.call.key.text().to_owned();
    if let Some(left) = core.failures.left(&key, core.clock.now()) {
        wait(claim, left);
        return;
    }
    let counters = Arc::clone(&errand.call.counters);
    let work = async move {
        let Errand { call, scope } = errand;
        let work = once(call, origin.with, || (origin.run)());
        if let Refreshed::Failed(pause) = scope.around(work).await {
            wait(claim, pause);
        }
    };
    if !core.workers.refresh(&key, work) {
        counters.add(Count::RefreshSkipped);
    }
}

/// A refresh like every other, whose end somebody waits for.
pub(crate) async fn waited_for<V, E>(errand: Errand, origin: Origin<V, E>) -> Refreshed
where
    V: CacheValue,
    E: Send + 'static,
{
    let core = Arc::clone(&errand.call.core);
    let key = errand.call.key.text().to_owned();
    let (tell, end) = oneshot::channel();
    let work = async move {
        let Errand { call, scope } = errand;
        let work = once(call, origin.with, || (origin.run)());
        // Who waited may be gone.
        let _ = tell.send(scope.around(work).await);
    };
    core.workers.refresh(&key, work);
    drop(core);
    // Without an answer: another refresh of the key runs, there was no place for this one, or it panicked.
    end.await.unwrap_or(Refreshed::Needless)
}

fn wait(claim: Option<Claim>, pause: Duration) {
    if let Some(mut claim) = claim {
        claim.pause = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX).max(1);
    }
}

/// A refresh by the call whose hit called for it; its answer, which is what it had if nothing new can be had.
pub(crate) async fn here<V, E, L>(
    call: &Call,
    in_hand: Option<InHand>,
    claim: Option<Claim>,
    value: V,
    with: Loaded<V, E>,
    load: Pin<Box<L>>,
) -> V
where
    V: CacheValue,
    L: Future<Output = Result<V, E>> + ?Sized,
{
    let errand = Errand::of(call).with(in_hand);
    match once(errand.call, with, || load).await {
        Refreshed::Failed(pause) => {
            wait(claim, pause);
            return value;
        }
        Refreshed::Needless => return value,
        Refreshed::Done => {}
    }
    let new = call.again().stored_now().await;
    new.and_then(|new| new.downcast_ref::<V>().cloned())
        .unwrap_or(value)
}

/// One refresh, here and now.
pub(crate) async fn once<V, E, L>(
    call: Call,
    with: Loaded<V, E>,
    load: impl FnOnce() -> Pin<Box<L>>,
) -> Refreshed
where
    V: CacheValue,
    L: Future<Output = Result<V, E>> + ?Sized,
{
    let call = Box::new(call);
    let span = spans::refresh(&call);
    let refreshed = attempt(call, with, load).instrument(span.clone()).await;
    span.record("outcome", refreshed.name());
    refreshed
}

async fn attempt<V, E, L>(
    mut call: Box<Call>,
    with: Loaded<V, E>,
    load: impl FnOnce() -> Pin<Box<L>>,
) -> Refreshed
where
    V: CacheValue,
    L: Future<Output = Result<V, E>> + ?Sized,
{
    call.purpose = Purpose::Refresh;
    let core = Arc::clone(&call.core);
    core.clear_journal(&call.key, &call.labelling, &mut call.budget, &call.counters)
        .await;
    let Registered::Leads(guard) = call.register() else {
        return Refreshed::Needless;
    };
    let lead = match Lead::new(guard).prepare(&mut call).await {
        Led::Load(lead) if lead.right != Right::Nothing => lead,
        Led::Serve(_) => return Refreshed::Done,
        _ => return Refreshed::Needless,
    };
    call.counters.add(Count::Refresh);
    let mut in_vain = InVain {
        core,
        key: call.key.clone(),
        pause: call.policy.fresh.pause(),
        counters: Arc::clone(&call.counters),
        ended: false,
    };
    let (call, result) = complete(call, lead, with, load()).await;
    in_vain.ended = true;
    if result.is_err() {
        call.counters.add(Count::RefreshError);
    }
    let evicted = call.flight.as_ref().is_some_and(|it| it.is_marked());
    if call.stored || evicted {
        return Refreshed::Done;
    }
    Refreshed::Failed(in_vain.note())
}

/// A refresh whose value is not stored: it failed, it panicked, it took too long, or nobody wants what it brings. The next waits.
struct InVain {
    core: Arc<Core>,
    key: Key,
    pause: Duration,
    counters: Arc<Counters>,
    ended: bool,
}

impl InVain {
    /// How long the next one waits.
    fn note(&self) -> Duration {
        let (key, now) = (self.key.text(), self.core.clock.now());
        let failures = &self.core.failures;
        // The load may have said so itself.
        failures
            .left(key, now)
            .unwrap_or_else(|| failures.failed(key, now, self.pause, Pause::Doubling))
    }
}

impl Drop for InVain {
    fn drop(&mut self) {
        if !self.ended && !self.core.workers.is_closed() {
            self.counters.add(Count::RefreshError);
            tracing::warn!(
                cache = self.core.settings.name,
                region = self.key.region(),
                "a refresh has panicked, or was cut off because it took too long; what is stored stays"
            );
            self.note();
        }
    }
}
