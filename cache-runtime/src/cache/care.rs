//! Looking after a cache: what it holds, what it did, how Redis is, and the end.

use std::{sync::atomic::Ordering, time::Duration};

use super::{Cache, EntryInfo, Health, commands::SITE, inspect};
use crate::{key::Key, observe::Stats, tiers::LinkState};

/// What [`Cache::close`] could not finish in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unfinished {
    /// Evictions Redis has not confirmed: what they concern stays readable elsewhere until its ttl.
    pub evictions: usize,
    /// Leases not given back: they run out within three seconds.
    pub leases: usize,
    /// Refreshes, and loads that nobody waited for, that were cut off: what is stored stays as it was.
    pub refreshes: usize,
}

impl Unfinished {
    /// Whether everything was finished.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.evictions == 0 && self.leases == 0 && self.refreshes == 0
    }
}

impl Cache {
    /// What is stored under a key, and where; `None` if nothing is.
    pub async fn inspect(&self, key: &Key) -> Option<EntryInfo> {
        if !self.is_usable(key) {
            return None;
        }
        inspect::inspect(self.core(), key).await
    }

    /// Counters per site and in total, since the cache was built, and what is there now. Reading them costs the calls that are counted nothing.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let core = self.core();
        let mut stats = core.sites.stats();
        let foreign = core.tier.foreign_types();
        if foreign > 0 {
            // Whoever met them did not know of what site.
            stats.total.decode_errors += foreign;
            let site = stats.sites.entry(SITE.to_owned()).or_default();
            site.decode_errors += foreign;
        }
        stats.started = core.started.wall;
        stats.uptime = core.started.at.elapsed();
        stats.memory.entries = core.memory.len() as u64;
        stats.memory.bytes = core.memory.bytes();
        stats.redis.connected = match core.tier.state() {
            LinkState::Absent => None,
            LinkState::Connected { .. } => Some(true),
            _ => Some(false),
        };
        stats.redis.queued_evictions = core.journal.len() as u64;
        if let Some(redis) = &core.commands {
            stats.redis.round_trips = redis.round_trips();
        }
        stats
    }

    /// A report on Redis and on what waits for it. Does not ask Redis: it tells what is known.
    #[must_use]
    pub fn health(&self) -> Health {
        Health::of(self.core())
    }

    /// Waits until Redis is connected, and it is known how this process hears of the evictions of others: memory is filled from then on.
    ///
    /// # Errors
    ///
    /// The state after `within`, if it is not; annotated functions work all the same.
    pub async fn ready(&self, within: Duration) -> Result<(), Health> {
        if self.core().closed.load(Ordering::Acquire) && self.core().tier.is_present() {
            return Err(self.health());
        }
        self.core().wake();
        let core = self.core();
        let began = tokio::time::Instant::now();
        let connected = core.tier.connected_within(within).await;
        let left = within.saturating_sub(began.elapsed());
        let decided = async { tokio::time::timeout(left, core.coherence.decided()).await };
        if connected && decided.await.is_ok() {
            if core.tier.is_present() {
                core.make_generation(core.settings.redis_budget).await;
            }
            Ok(())
        } else {
            Err(self.health())
        }
    }

    /// Delivers what is queued, waits for refreshes and for loads that nobody waits for, tells hooks what is left to tell, gives leases back and ends the background tasks; tells
    /// what could not be done. Comparisons and timers end at once.
    ///
    /// Annotated functions go on working afterwards. A cache with Redis hears of no evictions any more, so its memory keeps and serves nothing.
    pub async fn close(&self, within: Duration) -> Unfinished {
        // Beyond this timers cannot count, and nobody waits.
        const EVER: Duration = Duration::from_secs(86_400 * 365);
        let deadline = tokio::time::Instant::now() + within.min(EVER);
        if self.core().journal.len() > 0 {
            let _ = tokio::time::timeout_at(deadline, self.core().replay_all()).await;
        }
        // What was begun in the background may still store; what is cut off needs a moment to give its lease back.
        let moment = (within / 4).min(Duration::from_millis(500));
        let refreshes = self.core().workers.drain(deadline - moment).await;
        let told = self.core().background.told();
        let _ = tokio::time::timeout_at(deadline - moment / 2, told).await;
        self.core().closed.store(true, Ordering::Release);
        #[cfg(feature = "metrics")]
        if self.core().background.publishes() {
            self.publish_metrics();
        }
        self.core().background.stop();
        // Loads under way give their leases back, so that no other process waits for them.
        self.core().flights.mark_where(|_| true);
        let kept = self.core().leases.given_back(deadline).await;
        let left = deadline.saturating_duration_since(tokio::time::Instant::now());
        let unsent = self.core().tier.close(left).await;
        Unfinished {
            evictions: self.core().journal.len(),
            leases: kept + unsent,
            refreshes,
        }
    }
}
