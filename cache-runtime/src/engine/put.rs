//! Puts: a value that is written, not loaded.
//!
//! A put takes the lease by force *before its body runs* and registers as a flight. It stores only if it still has
//! the lease; if it lost it, failed, panicked, was dropped, or Redis did not answer, it evicts. So of two writers
//! that commit in one order and store in the other nothing remains, rather than something old.

use std::{mem, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    Core,
    budget::Budget,
    evict::EvictTask,
    lease::{Ended, LEASE, Lease},
    selection::{Item, Target, UNKNOWN_OUTCOME_HOLD},
    store::{Parts, Unstored, Wish, memory_entry, prepare, store_once},
};
use crate::{
    entry::Erased,
    error::{CacheError, ErrorKind},
    flight::{FlightGuard, FlightKind, Outcome},
    key::Key,
    observe::{Count, Counters},
    policy::Resolved,
    tiers::{Acquire, Acquired, LeaseKind, Stored, memory::Reader},
};

/// A put between its beginning and its end. Dropping it evicts the key.
#[derive(Debug)]
pub(crate) struct Put {
    core: Arc<Core>,
    key: Key,
    reader: Reader,
    policy: Resolved,
    counters: Arc<Counters>,
    budget: Budget,
    lease: Option<Lease>,
    guard: Option<FlightGuard>,
    /// It may store: it has the lease, or there is no Redis to have one in.
    may_store: bool,
    /// What it wrote is unknown until it ends.
    body_began: bool,
    over: bool,
}

impl Put {
    /// Takes the lease by force and overtakes the loads of the key.
    pub(crate) async fn begin(
        core: Arc<Core>,
        key: Key,
        reader: Reader,
        policy: Resolved,
        counters: Arc<Counters>,
    ) -> Self {
        let in_redis = policy.redis && core.tier.is_present();
        let budget = if in_redis {
            Budget::new(core.settings.redis_budget)
        } else {
            Budget::none()
        };
        let mut put = Self {
            core,
            key,
            reader,
            policy,
            counters,
            budget,
            lease: None,
            guard: None,
            may_store: !in_redis,
            body_began: false,
            over: false,
        };
        if in_redis {
            put.core.wake();
            put.core
                .clear_journal(&put.key, &mut put.budget, &put.counters)
                .await;
            put.take_lease().await;
        }
        let (core, key) = (&put.core, &put.key);
        let held = || core.holds(key.text());
        let hash = core.hash(key.text());
        put.guard = Some(
            core.flights
                .overtake(key, hash, put.reader, FlightKind::Put, held),
        );
        put
    }

    /// The policy with what its expressions gave.
    pub(crate) fn resolve(&mut self, policy: Resolved) {
        self.policy = policy;
    }

    async fn take_lease(&mut self) {
        if !self.core.may_use_redis(&self.key, &self.budget) {
            return;
        }
        let Some(within) = self.budget.left() else {
            return;
        };
        let tier = Arc::clone(&self.core.tier);
        let lease = Lease::asked(&self.core, &self.key);
        let ask = Acquire {
            token: lease.token(),
            seen: None,
            ignore_value: true,
            lease: LEASE,
            kind: LeaseKind::Put,
        };
        let asked = Instant::now();
        let answer = tier.acquire(self.key.text(), ask, within).await;
        match self.budget.book(asked, answer, &self.counters) {
            Some(Acquired::Lead) => {
                self.lease = Some(lease);
                self.may_store = true;
            }
            // A hold is in force: the put evicts at its end.
            Some(Acquired::Hold) => lease.disarm(),
            Some(Acquired::Value(_) | Acquired::Held { .. }) | None => {}
        }
    }

    /// The body runs from here on.
    pub(crate) fn begin_body(&mut self) {
        self.body_began = true;
    }

    /// Renews the lease beside the body; never ends.
    pub(crate) async fn keep(&mut self) -> std::convert::Infallible {
        if let Some(lease) = &self.lease {
            let ended = lease.renew(self.core.settings.redis_budget).await;
            self.may_store = false;
            let lease = self.lease.take();
            if let (Ended::Lost, Some(lease)) = (ended, lease) {
                lease.disarm();
            }
        }
        std::future::pending().await
    }

    /// Stores `value`, or evicts what is stored.
    pub(crate) async fn finish(mut self, value: Erased, wish: Wish) -> Result<(), CacheError> {
        self.counters.add(Count::Put);
        let wants_bytes = self.lease.is_some();
        let prepared = match prepare(self.parts(), &value, wish, wants_bytes) {
            Ok(prepared) if self.is_whole() => prepared,
            Ok(_) => {
                self.counters.add(Count::RefusedStore);
                self.evict().await?;
                return Err(not_stored(
                    "another write, an eviction or a hold came between",
                ));
            }
            // The origin has changed, so what is stored is old, whether or not its successor is wanted.
            Err(Unstored::Keep | Unstored::Remove) => {
                self.evict().await?;
                return Err(CacheError::new(
                    ErrorKind::Unstorable,
                    "the value is not to be stored or has no stored form; what was stored under its key was evicted",
                ));
            }
        };
        let stored = match (self.lease.take(), self.budget.left()) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(lease), Some(within)) => {
                let asked = Instant::now();
                let answer = store_once(&self.core, &self.key, &lease, &prepared, within).await;
                let answer = self.budget.book(asked, answer, &self.counters);
                if matches!(answer, Some(Stored::Stored)) {
                    lease.disarm();
                    true
                } else {
                    false
                }
            }
        };
        if !stored {
            self.counters.add(Count::RefusedStore);
            self.evict().await?;
            return Err(not_stored("Redis did not store it"));
        }
        self.insert(&value, &prepared).await
    }

    /// Redis has it; now memory, unless an eviction came between.
    async fn insert(
        mut self,
        value: &Erased,
        prepared: &super::store::Prepared,
    ) -> Result<(), CacheError> {
        let entry = memory_entry(self.parts(), value, prepared);
        let wanted = entry.is_some();
        let guard = self
            .guard
            .take()
            .expect("a put has its flight until it ends");
        let marked = guard.flight().is_marked();
        // Whether or not memory takes the new value, what it had under the key is old now.
        let hash = self.core.hash(self.key.text());
        self.core.memory.remove(hash, self.key.text());
        let inserted = guard.end(Outcome::Abandoned, entry);
        if marked || (wanted && !inserted) {
            self.counters.add(Count::RefusedStore);
            self.evict().await?;
            return Err(not_stored("an eviction came between"));
        }
        self.over = true;
        Ok(())
    }

    fn parts(&self) -> Parts<'_> {
        Parts {
            core: &self.core,
            key: &self.key,
            reader: &self.reader,
            policy: &self.policy,
            counters: &self.counters,
        }
    }

    /// Whether nothing came between so far.
    fn is_whole(&self) -> bool {
        let flight = self.guard.as_ref().map(FlightGuard::flight);
        self.may_store && flight.is_some_and(|flight| !flight.is_marked() && !flight.held)
    }

    /// The body failed, or the value cannot be stored: evict.
    pub(crate) async fn evict(mut self) -> Result<(), CacheError> {
        let task = self.give_up(Duration::ZERO);
        task.run_detached().await
    }

    fn give_up(&mut self, hold: Duration) -> EvictTask {
        self.over = true;
        let item = Item {
            target: Target::Key(self.key.clone()),
            hold,
        };
        let task = EvictTask::new(&self.core, vec![item]);
        // The eviction deletes the lease with the value.
        if let Some(lease) = self.lease.take() {
            lease.disarm();
        }
        drop(mem::take(&mut self.guard));
        task
    }
}

impl Drop for Put {
    fn drop(&mut self) {
        if !self.over {
            // Dropped before its end: into the journal, and out of memory. What a body did that had begun is unknown,
            // so loads that may still see the old value are not stored for a while.
            let hold = if self.body_began {
                UNKNOWN_OUTCOME_HOLD
            } else {
                Duration::ZERO
            };
            drop(self.give_up(hold));
        }
    }
}

fn not_stored(why: &str) -> CacheError {
    CacheError::new(
        ErrorKind::NotStored,
        format!("the value was not stored: {why}; what was stored under its key was evicted"),
    )
}
