//! The journal's evictions, delivered before anything that concerns them is read or filled.

use std::sync::Arc;

use super::{
    Core,
    budget::Budget,
    evict::{deliver, settle},
    journal::Replay,
    selection::{Item, Target},
};
use crate::{
    key::Key,
    observe::Counters,
    tiers::{self, TierError},
};

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
    pub(super) fn queue(self: &Arc<Self>, items: &[Item]) {
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
