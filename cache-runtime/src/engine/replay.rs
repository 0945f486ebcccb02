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
    tags::Labelling,
    tiers::{self, TierError},
};

impl Core {
    /// Whether a call may speak to Redis about `key`: it has a budget left, and nothing that concerns the key waits in
    /// the journal.
    pub(crate) fn may_use_redis(&self, key: &Key, labelling: &Labelling, budget: &Budget) -> bool {
        budget.left().is_some() && !self.journal.concerns(key.text(), labelling)
    }

    /// Replays what concerns `key`, within the call's budget. To be called before the call registers a flight or a
    /// put: what is replayed marks those that run.
    pub(crate) async fn clear_journal(
        self: &Arc<Self>,
        key: &Key,
        labelling: &Labelling,
        budget: &mut Budget,
        counters: &Counters,
    ) {
        let concerned = |_: &_| self.journal.concerns(key.text(), labelling);
        let Some(within) = budget.left().filter(concerned) else {
            return;
        };
        let asked = tokio::time::Instant::now();
        let replay = self.replay_for(key.text(), labelling);
        let result = tokio::time::timeout(within, replay).await;
        let result = result.unwrap_or_else(|_| {
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

    /// Replays what concerns one entry. A scan is too long for a reader; the background does those.
    async fn replay_for(
        self: &Arc<Self>,
        key: &str,
        labelling: &Labelling,
    ) -> Result<(), TierError> {
        let concerns = |target: &Target| target.concerns(key, labelling);
        let waiting = self.journal.pending(self.clock.now(), concerns);
        if !waiting.iter().all(is_quick) {
            self.background.nudge(self);
            return Ok(());
        }
        let _one_at_a_time = self.journal.replaying.lock().await;
        self.replay(&waiting).await
    }

    /// Replays everything, what is quick first.
    pub(crate) async fn replay_all(self: &Arc<Self>) -> Result<(), TierError> {
        let waiting = self.journal.pending(self.clock.now(), |_| true);
        let (quick, patterns): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_quick);
        let one_at_a_time = self.journal.replaying.lock().await;
        let quick = self.replay(&quick).await;
        drop(one_at_a_time);
        if quick.as_ref().is_err_and(TierError::is_silence) {
            return quick;
        }
        let _one_at_a_time = self.journal.sweeping.lock().await;
        quick.and(self.replay(&patterns).await)
    }

    /// One that is refused does not stand in the way of the others.
    ///
    /// Memory was marked and cleared when each was queued; it is again after the replay, because what this process
    /// took from Redis until then may be older than the eviction.
    async fn replay(self: &Arc<Self>, waiting: &[Replay]) -> Result<(), TierError> {
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

/// A pattern may need a scan.
fn is_quick(replay: &Replay) -> bool {
    !matches!(replay.item.target, Target::Pattern(_))
}
