//! Evictions: Redis first, then this process; and the journal where Redis did not confirm.
//!
//! The order matters: in the other one a caller would promote the old value from Redis between the two. Once
//! begun, an eviction runs to its end in a task of its own, whether or not its caller still waits. Where no
//! task can be started (a dropped future) it goes into the journal, which blocks the reads it concerns, and
//! memory is marked and cleared before the replay and after it.

use std::{
    mem,
    sync::{Arc, atomic::Ordering},
};

use super::{
    Core,
    budget::count,
    read::millis,
    selection::{Item, Target},
};
use crate::{
    error::{CacheError, ErrorKind},
    key::Pattern,
    observe::Counters,
    tiers::{Eviction, TierError},
};

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
pub(super) async fn deliver(core: &Core, items: &[Item]) -> Result<(), TierError> {
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
pub(super) fn settle(core: &Core, items: &[Item]) {
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
