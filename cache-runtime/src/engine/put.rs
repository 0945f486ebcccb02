//! Puts: a value that is written, not loaded.
//!
//! A put takes the lease by force *before its body runs* and registers as a flight. It stores only if it still has
//! the lease; if it lost it, failed, panicked, was dropped, or Redis did not answer, it evicts. So of two writers
//! that commit in one order and store in the other nothing remains, rather than something old.
//!
//! A put that leaves Redis out has no lease. What Redis has is old all the same, and so is what others have in memory: it evicts the key there, and
//! with it the leases of loads that began before, then goes into memory. Its flight tells whether anything came between.

use std::{
    mem,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    Core,
    budget::{Budget, count},
    call::Tags,
    evict::{EvictTask, deliver},
    labels::{Burden, Question, View},
    lease::{Ended, LEASE, Lease},
    selection::{Item, Target, UNKNOWN_OUTCOME_HOLD},
    store::{Parts, Prepared, Unstored, Wish, all_tags, bytes, memory_entry, prepare, store_once},
};
use crate::{
    entry::Erased,
    error::{CacheError, ErrorKind},
    flight::{FlightGuard, FlightKind, Outcome},
    key::{Key, LateTemplate},
    observe::{Count, Counters},
    policy::Resolved,
    tags::{Label, Labelling},
    tiers::{Acquire, Acquired, Announce, LeaseKind, Stored, memory::Reader},
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
    labelling: Labelling,
    /// Tags that wait for the value.
    pub(crate) late: Vec<LateTemplate>,
    lease: Option<Lease>,
    burden: Option<Burden>,
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
        tags: Tags,
    ) -> Self {
        let labelling = core.labelling(&key, &tags.known, tags.late);
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
            labelling,
            late: tags.templates,
            burden: None,
            lease: None,
            guard: None,
            may_store: !in_redis,
            body_began: false,
            over: false,
        };
        if in_redis {
            put.core.wake();
            put.core
                .clear_journal(&put.key, &put.labelling, &mut put.budget, &put.counters)
                .await;
            put.take_lease().await;
        }
        let (core, key) = (&put.core, &put.key);
        let begin = || core.beginning(key.text(), &put.labelling);
        let hash = core.hash(key.text());
        put.guard = Some(
            core.flights
                .overtake(key, hash, put.reader, FlightKind::Put, begin),
        );
        put
    }

    /// The policy with what its expressions gave.
    pub(crate) fn resolve(&mut self, policy: Resolved) {
        self.policy = policy;
    }

    async fn take_lease(&mut self) {
        if !self
            .core
            .may_use_redis(&self.key, &self.labelling, &self.budget)
        {
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
            waits: false,
            heeds_failures: false,
        };
        let life = self.policy.lifetimes.longest();
        let question = Question::of_load(&self.core, &self.labelling, life, &[]);
        let asked = Instant::now();
        let labels = question.ask(&self.labelling);
        let answer = tier.acquire(self.key.text(), ask, labels, within).await;
        let Some((answer, labelled)) = self.budget.book(asked, answer, &self.counters) else {
            return;
        };
        let mut view = View::default();
        question.learn_all(&self.core, &self.labelling, &labelled, &mut view);
        self.burden = view.burden(&self.core, &self.labelling, labelled.clock, life);
        match answer {
            Acquired::Lead => {
                self.may_store = self.burden.is_some();
                self.lease = Some(lease);
            }
            // A hold is in force: the put evicts at its end.
            Acquired::Hold => lease.disarm(),
            // Told to loads only.
            Acquired::Value(_) | Acquired::Held { .. } | Acquired::Failed { .. } => {}
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
            Ok(prepared) if self.is_whole() && !self.is_held(&prepared) => prepared,
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
        let stored = match (self.lease.take(), self.burden.take()) {
            (None, _) if self.core.tier.is_present() => {
                self.evict_elsewhere().await?;
                true
            }
            (None, _) => true,
            (Some(_), None) => false,
            (Some(lease), Some(burden)) => self.store(lease, &prepared, burden).await,
        };
        if !stored {
            self.counters.add(Count::RefusedStore);
            self.evict().await?;
            return Err(not_stored("Redis did not store it"));
        }
        self.insert(&value, &prepared).await
    }

    /// Whether Redis has taken the value; everybody is told that the key has changed.
    async fn store(&mut self, lease: Lease, prepared: &Prepared, burden: Burden) -> bool {
        let (core, counters) = (Arc::clone(&self.core), Arc::clone(&self.counters));
        let parts = Parts {
            core: &core,
            key: &self.key,
            reader: &self.reader,
            policy: &self.policy,
            counters: &counters,
            labelling: &self.labelling,
            watch: None,
        };
        let tags = all_tags(parts, prepared, &burden, &mut self.budget).await;
        let (Some(tags), Some(within)) = (tags, self.budget.left()) else {
            return false;
        };
        // Another server may have what this replaces.
        let replaced = Item::evict(Target::Key(self.key.clone()));
        core.lately.note(&[replaced], core.clock.now());
        let asked = Instant::now();
        let bytes = bytes(parts, &lease, prepared, burden.fold, &tags);
        let answer = store_once(parts, &lease, prepared, &bytes, Announce::Everybody, within).await;
        let answer = self.budget.book(asked, answer, &counters);
        let stored = matches!(answer, Some(Stored::Stored));
        if stored {
            lease.disarm();
        }
        stored
    }

    /// Redis takes no part: it and the others lose what they have. Memory comes later, when nothing old can enter it any more.
    async fn evict_elsewhere(&mut self) -> Result<(), CacheError> {
        if self.core.closed.load(Ordering::Acquire) {
            let evicted = self.give_up(Duration::ZERO).run_detached().await;
            return evicted.and(Err(not_stored("the cache is closed")));
        }
        self.core.wake();
        let item = Item::evict(Target::Key(self.key.clone()));
        // Without this process: the eviction would mark the put's own flight.
        let Err(error) = deliver(&self.core, &[item]).await else {
            return Ok(());
        };
        count(&error, &self.counters);
        self.counters.add(Count::RefusedStore);
        // Into the journal, and out of memory.
        drop(self.give_up(Duration::ZERO));
        Err(CacheError::new(
            ErrorKind::Queued,
            "the value was not stored: Redis did not confirm the eviction of its key, which is queued",
        )
        .caused_by(error))
    }

    /// Redis has it, or has nothing; now memory, unless an eviction came between.
    async fn insert(mut self, value: &Erased, prepared: &Prepared) -> Result<(), CacheError> {
        let guard = self
            .guard
            .take()
            .expect("a put has its flight until it ends");
        let entry = memory_entry(self.parts(), value, prepared, guard.flight(), None);
        let accepts = self.core.coherence.accepts(guard.flight().stamp.base.epoch);
        // Where memory takes nothing for want of a bus, nothing came between.
        let wanted = entry.is_some() && accepts;
        let marked = guard.flight().is_marked();
        // Whether or not memory takes the new value, what it had under the key is old now.
        let hash = self.core.hash(self.key.text());
        self.core.memory.remove(hash, self.key.text());
        self.core.failures.forget(self.key.text());
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
            labelling: &self.labelling,
            watch: None,
        }
    }

    /// Whether nothing came between so far.
    fn is_whole(&self) -> bool {
        let flight = self.guard.as_ref().map(FlightGuard::flight);
        self.may_store && flight.is_some_and(|flight| !flight.is_marked() && !flight.held)
    }

    /// Whether stores are refused under a tag that only the value has named.
    fn is_held(&self, prepared: &Prepared) -> bool {
        let now = self.core.clock.now();
        let held = |tag: &Label| self.core.cells.cell(tag).is_held(now);
        prepared.late.iter().any(held)
    }

    /// The body failed, or the value cannot be stored: evict.
    pub(crate) async fn evict(mut self) -> Result<(), CacheError> {
        let task = self.give_up(Duration::ZERO);
        task.run_detached().await
    }

    fn give_up(&mut self, hold: Duration) -> EvictTask {
        self.over = true;
        let item = Item {
            hold,
            ..Item::evict(Target::Key(self.key.clone()))
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
