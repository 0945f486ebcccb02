//! One load and what became of it.

use std::{
    any::Any,
    fmt,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{sync::Notify, time::Instant};

use crate::{entry::Erased, key::Key, tiers::memory::Reader};

/// What a flight is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlightKind {
    /// The load of a key: callers join it, its value is stored.
    Load,
    /// A load nobody joins (`stampede_protection = "off"`); its value is stored.
    Alone,
    /// The load of those whose wait ran out: they share it, its value is not stored.
    Unstored,
    /// A put whose body runs: nobody waits for it.
    Put,
}

/// An error that waiters take their own from.
pub(crate) type SharedError = Arc<dyn Any + Send + Sync>;

/// How a flight ended for those who waited.
#[derive(Clone)]
pub(crate) enum Outcome {
    Value(Erased),
    /// A value whose store Redis refused: somebody evicted the key while it was loaded. It is for those
    /// whose call began before the load did.
    Doubtful(Erased),
    /// The origin failed and its error can be shared.
    Failed(SharedError),
    /// The origin failed; each waiter has to see for itself.
    FailedAlone,
    /// The leader was dropped, panicked or gave up: start anew.
    Abandoned,
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value(_) => "Value",
            Self::Doubtful(_) => "Doubtful",
            Self::Failed(_) => "Failed",
            Self::FailedAlone => "FailedAlone",
            Self::Abandoned => "Abandoned",
        })
    }
}

/// A load in this process.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) key: Key,
    pub(crate) reader: Reader,
    pub(crate) kind: FlightKind,
    /// A hold was in force when it began: its value must not be stored.
    pub(crate) held: bool,
    load_began: OnceLock<Instant>,
    outcome: Mutex<Option<Outcome>>,
    ended: Notify,
    marked: AtomicBool,
    on_mark: Notify,
}

impl Flight {
    pub(super) fn new(key: Key, reader: Reader, kind: FlightKind, held: bool) -> Self {
        Self {
            key,
            reader,
            kind,
            held,
            load_began: OnceLock::new(),
            outcome: Mutex::new(None),
            ended: Notify::new(),
            marked: AtomicBool::new(false),
            on_mark: Notify::new(),
        }
    }

    /// The origin runs from here on.
    pub(crate) fn begin_load(&self) {
        let _ = self.load_began.set(Instant::now());
    }

    /// Whether the value was loaded after `moment`, so that no eviction before it concerns the value.
    pub(crate) fn loaded_since(&self, moment: Instant) -> bool {
        self.load_began.get().is_some_and(|began| moment < *began)
    }

    /// Whether an eviction has overtaken this load.
    pub(crate) fn is_marked(&self) -> bool {
        self.marked.load(Ordering::SeqCst)
    }

    /// Called under the shard's lock.
    pub(super) fn mark(&self) {
        self.marked.store(true, Ordering::SeqCst);
        self.on_mark.notify_one();
    }

    /// Resolves when the flight is marked. One task at a time: the leader's.
    pub(crate) async fn until_marked(&self) {
        while !self.is_marked() {
            self.on_mark.notified().await;
        }
    }

    /// Called once, when the flight is out of the table.
    pub(super) fn end(&self, outcome: Outcome) {
        let mut slot = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            *slot = Some(outcome);
        }
        drop(slot);
        self.ended.notify_waiters();
    }

    fn outcome(&self) -> Option<Outcome> {
        self.outcome
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits for the end, at most until `deadline`; `None` when the deadline came first.
    pub(crate) async fn wait(&self, deadline: Instant) -> Option<Outcome> {
        let wait = async {
            loop {
                let mut ended = std::pin::pin!(self.ended.notified());
                // Interest is registered before the second look: an end between the two is not missed.
                ended.as_mut().enable();
                if let Some(outcome) = self.outcome() {
                    return outcome;
                }
                ended.await;
            }
        };
        tokio::time::timeout_at(deadline, wait).await.ok()
    }
}
