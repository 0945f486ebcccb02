//! Evictions: Redis first, then this process; and the journal where Redis did not confirm.
//!
//! The order matters: in the other one a caller would promote the old value from Redis between the two. Once
//! begun, an eviction runs to its end in a task of its own, whether or not its caller still waits. Where no
//! task can be started (a dropped future) it goes into the journal, which blocks the reads it concerns, and
//! memory is marked and cleared before the replay and after it.

use std::{
    mem,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use super::{
    Core,
    budget::{Budget, count},
    journal::Replay,
    read::millis,
};
use crate::{
    error::{CacheError, ErrorKind},
    key::{Key, Pattern},
    observe::Counters,
    tiers::{self, Eviction, TierError},
};

/// How long loads are not stored after a write whose outcome is unknown: its future was dropped, or it panicked.
pub(crate) const UNKNOWN_OUTCOME_HOLD: Duration = Duration::from_secs(2);

/// What is evicted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    Key(Key),
    Pattern(Pattern),
    All,
}

impl Target {
    pub(crate) fn concerns(&self, text: &str) -> bool {
        match self {
            Self::Key(key) => key.text() == text,
            Self::Pattern(pattern) => pattern.matches(text),
            Self::All => true,
        }
    }
}

/// One target and how long its loads are refused.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) target: Target,
    pub(crate) hold: Duration,
}

/// What to evict; built from kinds, combined with [`and`](Self::and).
///
/// ```
/// use std::time::Duration;
/// use cache_runtime::{Evict, Key, key};
///
/// let id = 7;
/// let what = Evict::key(key!("product:{id}"))
///     .hold(Duration::from_secs(2))
///     .and(Evict::pattern("products:list:*"));
/// # let _ = what;
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is evicted until this is passed to `Cache::evict`"]
pub struct Evict {
    pub(crate) items: Vec<Item>,
}

impl Evict {
    /// One key.
    pub fn key(key: Key) -> Self {
        Self::one(key_target(key))
    }

    /// Several keys.
    pub fn keys(keys: impl IntoIterator<Item = Key>) -> Self {
        let items = keys
            .into_iter()
            .map(|key| Item {
                target: key_target(key),
                hold: Duration::ZERO,
            })
            .collect();
        Self { items }
    }

    /// Every key a glob matches: `*` any text, `?` one character, `[a-z]` one of a class, `\` escapes.
    ///
    /// Costs a scan of Redis, in two passes.
    pub fn pattern(pattern: impl AsRef<str>) -> Self {
        Self::one(Target::Pattern(Pattern::parse(pattern.as_ref())))
    }

    /// Everything of this cache.
    ///
    /// Costs a scan of Redis, in two passes.
    pub fn all() -> Self {
        Self::one(Target::All)
    }

    /// These and those.
    pub fn and(mut self, other: Self) -> Self {
        self.items.extend(other.items);
        self
    }

    /// Refuses to store, for this long, what is loaded under these keys: for origins whose reads lag behind their writes.
    ///
    /// Only for keys; with a pattern or `all` the eviction is an error.
    pub fn hold(mut self, hold: Duration) -> Self {
        for item in &mut self.items {
            item.hold = item.hold.max(hold);
        }
        self
    }

    pub(crate) fn one(target: Target) -> Self {
        Self {
            items: vec![Item {
                target,
                hold: Duration::ZERO,
            }],
        }
    }

    /// Why this cannot be done, whatever Redis says.
    pub(crate) fn check(&self) -> Result<(), CacheError> {
        let holds_much =
            |item: &Item| !item.hold.is_zero() && !matches!(item.target, Target::Key(_));
        if self.items.iter().any(holds_much) {
            return Err(CacheError::new(
                ErrorKind::Invalid,
                "`hold` needs keys: a pattern or `all` cannot be held; nothing was evicted",
            ));
        }
        Ok(())
    }
}

impl From<Key> for Evict {
    fn from(key: Key) -> Self {
        Self::key(key)
    }
}

impl From<&Key> for Evict {
    fn from(key: &Key) -> Self {
        Self::key(key.clone())
    }
}

/// A key that cannot be rendered might be any key of its template: its literal region goes.
fn key_target(key: Key) -> Target {
    match key.usable() {
        Ok(()) => Target::Key(key),
        Err(_) => Target::Pattern(Pattern::region(key.region())),
    }
}

/// An eviction under way. Dropped before its end, it goes into the journal.
#[derive(Debug)]
pub(crate) struct EvictTask {
    core: Arc<Core>,
    items: Vec<Item>,
    counters: Option<Arc<Counters>>,
}

impl EvictTask {
    pub(crate) fn new(core: &Arc<Core>, items: Vec<Item>) -> Self {
        Self {
            core: Arc::clone(core),
            items,
            counters: None,
        }
    }

    pub(crate) fn counted_by(mut self, counters: Arc<Counters>) -> Self {
        self.counters = Some(counters);
        self
    }

    /// Runs to the end even if the caller stops waiting.
    pub(crate) async fn run_detached(mut self) -> Result<(), CacheError> {
        if !self.core.tier.is_present() {
            settle(&self.core, &mem::take(&mut self.items));
            return Ok(());
        }
        if self.core.closed.load(Ordering::Acquire) {
            settle(&self.core, &mem::take(&mut self.items));
            return Err(CacheError::new(
                ErrorKind::Closed,
                "the cache is closed: only this process's memory was evicted",
            ));
        }
        self.core.wake();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return Err(queued("there is no tokio runtime to reach Redis from"));
        };
        // A caller that stops waiting may read at once, before Redis has answered: what it concerns must not
        // be read from Redis until then, so it goes into the journal as well.
        let mut unattended = Self::new(&self.core, self.items.clone());
        let result = runtime.spawn(self.run()).await.unwrap_or_else(|_| {
            Err(queued(
                "the runtime shut down before Redis confirmed the eviction",
            ))
        });
        unattended.items.clear();
        result
    }

    /// Runs in the caller's own future.
    pub(crate) async fn run(mut self) -> Result<(), CacheError> {
        let delivered = self.deliver().await;
        let items = mem::take(&mut self.items);
        if delivered.is_err() {
            self.core.queue(&items);
        }
        settle(&self.core, &items);
        delivered.map_err(|error| queued("Redis did not confirm the eviction").caused_by(error))
    }

    /// The eviction in Redis.
    async fn deliver(&self) -> Result<(), TierError> {
        let result = deliver(&self.core, &self.items).await;
        if let (Err(error), Some(counters)) = (&result, &self.counters) {
            count(error, counters);
        }
        result
    }
}

impl Drop for EvictTask {
    fn drop(&mut self) {
        let items = mem::take(&mut self.items);
        if items.is_empty() {
            return;
        }
        if self.core.tier.is_present() {
            self.core.queue(&items);
        }
        settle(&self.core, &items);
    }
}

fn queued(why: &str) -> CacheError {
    CacheError::new(
        ErrorKind::Queued,
        format!(
            "{why}; it is queued and will be replayed before this process reads what it concerns"
        ),
    )
}

/// All parts are tried until one has no answer: to wait for each of them would add up. The first error is told.
async fn deliver(core: &Core, items: &[Item]) -> Result<(), TierError> {
    let within = core.settings.evict_deadline;
    let keys: Vec<Eviction<'_>> = items
        .iter()
        .filter_map(|item| match &item.target {
            Target::Key(key) => Some(Eviction {
                key: key.text(),
                hold: item.hold,
            }),
            Target::Pattern(_) | Target::All => None,
        })
        .collect();
    let mut result = Ok(());
    if !keys.is_empty() {
        result = core.tier.evict(&keys, within).await;
    }
    for item in items {
        if result.as_ref().is_err_and(TierError::is_silence) {
            break;
        }
        let swept = match &item.target {
            Target::Key(_) => continue,
            Target::Pattern(pattern) => core.tier.sweep(pattern, within).await,
            Target::All => core.tier.sweep(&Pattern::all(), within).await,
        };
        result = result.and(swept.map(drop));
    }
    result
}

/// The eviction in this process: holds, then marks, then memory.
fn settle(core: &Core, items: &[Item]) {
    let now = core.clock.now();
    // Values are dropped at the end: their own code must not come between two removals.
    let mut removed = Vec::new();
    for item in items {
        let until = now.saturating_add(millis(item.hold));
        let held = !item.hold.is_zero();
        match &item.target {
            Target::Key(key) => {
                if held {
                    core.holds.hold_key(key.text(), now, until);
                }
                let hash = core.hash(key.text());
                core.flights.mark(hash, key.text());
                removed.extend(core.memory.remove(hash, key.text()));
            }
            Target::Pattern(pattern) => {
                if held {
                    core.holds.hold_pattern(pattern, now, until);
                }
                core.flights.mark_where(|text| pattern.matches(text));
                removed.extend(core.memory.remove_where(|text| pattern.matches(text)));
            }
            Target::All => {
                if held {
                    core.holds.hold_pattern(&Pattern::all(), now, until);
                }
                core.flights.mark_where(|_| true);
                removed.extend(core.memory.remove_where(|_| true));
            }
        }
    }
}

impl Core {
    /// Whether a call may speak to Redis about `key`: it has a budget left, and nothing that concerns the key waits in
    /// the journal.
    pub(crate) fn may_use_redis(&self, key: &Key, budget: &Budget) -> bool {
        budget.left().is_some() && !self.journal.concerns(key.text())
    }

    /// Replays what concerns `key`, within the call's budget. To be called before the call registers a flight or a
    /// put: what is replayed marks those that run.
    pub(crate) async fn clear_journal(
        self: &Arc<Self>,
        key: &Key,
        budget: &mut Budget,
        counters: &Counters,
    ) {
        let Some(within) = budget.left().filter(|_| self.journal.concerns(key.text())) else {
            return;
        };
        let asked = tokio::time::Instant::now();
        let replay = tokio::time::timeout(within, self.replay_key(key.text())).await;
        let result = replay.unwrap_or_else(|_| {
            Err(TierError::new(
                tiers::ErrorKind::Timeout,
                "the journal could not be replayed in time",
            ))
        });
        budget.book(asked, result, counters);
    }

    /// Puts evictions into the journal, from where they are replayed.
    fn queue(self: &Arc<Self>, items: &[Item]) {
        let now = self.clock.now();
        items.iter().for_each(|item| self.journal.push(item, now));
        self.background.nudge(self);
    }

    /// Replays what concerns one key. A scan is too long for a reader; the background does those.
    async fn replay_key(self: &Arc<Self>, key: &str) -> Result<(), TierError> {
        let waiting = self.journal.pending(Some(key), self.clock.now());
        let is_key = |replay: &Replay| matches!(replay.item.target, Target::Key(_));
        if !waiting.iter().all(is_key) {
            self.background.nudge(self);
            return Ok(());
        }
        let _one_at_a_time = self.journal.replaying.lock().await;
        self.replay(&waiting).await
    }

    /// Replays everything, keys first.
    pub(crate) async fn replay_all(self: &Arc<Self>) -> Result<(), TierError> {
        let waiting = self.journal.pending(None, self.clock.now());
        let is_key = |replay: &Replay| matches!(replay.item.target, Target::Key(_));
        let (keys, patterns): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_key);
        let one_at_a_time = self.journal.replaying.lock().await;
        let keys = self.replay(&keys).await;
        drop(one_at_a_time);
        if keys.as_ref().is_err_and(TierError::is_silence) {
            return keys;
        }
        let _one_at_a_time = self.journal.sweeping.lock().await;
        keys.and(self.replay(&patterns).await)
    }

    /// One that is refused does not stand in the way of the others.
    ///
    /// Memory was marked and cleared when each was queued; it is again after the replay, because what this process
    /// took from Redis until then may be older than the eviction.
    async fn replay(&self, waiting: &[Replay]) -> Result<(), TierError> {
        let mut result = Ok(());
        for replay in waiting
            .iter()
            .filter(|replay| self.journal.is_pending(replay))
        {
            let item = std::slice::from_ref(&replay.item);
            match deliver(self, item).await {
                Ok(()) => {
                    settle(self, item);
                    self.journal.strike(replay);
                }
                Err(error) if error.is_silence() => return Err(error),
                Err(error) => result = result.and(Err(error)),
            }
        }
        result
    }
}
