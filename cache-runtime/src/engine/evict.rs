//! Evictions: Redis first, then this process; and the journal where Redis did not confirm.
//!
//! The order matters: in the other one a caller would promote the old value from Redis between the two. Once
//! begun, an eviction runs to its end in a task of its own, whether or not its caller still waits. Where no
//! task can be started (a dropped future) it goes into the journal, which blocks the reads it concerns, and
//! memory is marked and cleared before the replay and after it.

use std::{mem, sync::Arc, time::Duration};

use super::{
    Core,
    budget::{Budget, count},
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
        self.core.tier.wake();
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
            items.iter().for_each(|item| self.core.journal.push(item));
            self.core.background.nudge(&self.core);
        }
        settle(&self.core, &items);
        delivered.map_err(|error| queued("Redis did not confirm the eviction").caused_by(error))
    }

    /// The eviction in Redis. All parts are tried; the first error is told.
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
            items.iter().for_each(|item| self.core.journal.push(item));
            self.core.background.nudge(&self.core);
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
        let swept = match &item.target {
            Target::Key(_) => continue,
            Target::Pattern(pattern) => core.tier.sweep(pattern, within).await,
            Target::All => core.tier.sweep(&Pattern::all(), within).await,
        };
        result = result.and(swept.map(drop));
    }
    result
}

fn settle(core: &Core, items: &[Item]) {
    let now = core.clock.now();
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
                core.memory.remove(hash, key.text());
            }
            Target::Pattern(pattern) => {
                if held {
                    core.holds.hold_pattern(pattern, now, until);
                }
                core.flights.mark_where(|text| pattern.matches(text));
                core.memory.remove_where(|text| pattern.matches(text));
            }
            Target::All => {
                core.flights.mark_where(|_| true);
                core.memory.clear();
            }
        }
    }
}

impl Core {
    /// Whether a call may speak to Redis about `key`: nothing that concerns it waits in the journal, or what
    /// waits could be delivered within the call's budget.
    pub(crate) async fn may_use_redis(
        self: &Arc<Self>,
        key: &Key,
        budget: &mut Budget,
        counters: &Counters,
    ) -> bool {
        let Some(within) = budget.left() else {
            return false;
        };
        if !self.journal.concerns(key.text()) {
            return true;
        }
        let asked = tokio::time::Instant::now();
        let replay = tokio::time::timeout(within, self.replay_key(key.text())).await;
        let result = replay.unwrap_or_else(|_| {
            Err(TierError::new(
                tiers::ErrorKind::Timeout,
                "the journal could not be replayed in time",
            ))
        });
        budget.book(asked, result, counters).is_some() && !self.journal.concerns(key.text())
    }

    /// Replays what concerns one key. A scan is too long for a reader; the background does those.
    async fn replay_key(self: &Arc<Self>, key: &str) -> Result<(), TierError> {
        let waiting = self.journal.pending(Some(key));
        if waiting
            .iter()
            .any(|replay| !matches!(replay.item.target, Target::Key(_)))
        {
            self.background.nudge(self);
            return Ok(());
        }
        self.replay(waiting).await
    }

    /// Replays everything.
    pub(crate) async fn replay_all(self: &Arc<Self>) -> Result<(), TierError> {
        self.replay(self.journal.pending(None)).await
    }

    async fn replay(&self, waiting: Vec<super::journal::Replay>) -> Result<(), TierError> {
        let _one_at_a_time = self.journal.replaying.lock().await;
        for replay in waiting {
            let item = std::slice::from_ref(&replay.item);
            settle(self, item);
            deliver(self, item).await?;
            // What this process loaded or promoted meanwhile may be older than the replay.
            settle(self, item);
            self.journal.strike(&replay);
        }
        Ok(())
    }
}
