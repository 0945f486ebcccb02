//! What a cache consists of.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use super::{holds::Holds, journal::Journal, lease::Leases};
use crate::{
    cache::{Background, Sites},
    flight::{Flights, Retries},
    key::KeySecret,
    policy::Policy,
    ports::Clock,
    tiers::{
        SharedTier,
        memory::{KeyHash, MemoryTier},
    },
};

/// The bounds and deadlines of a cache.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) name: String,
    pub(crate) defaults: Policy,
    /// All Redis commands of one annotated call together.
    pub(crate) redis_budget: Duration,
    /// One eviction, one batch of a scan.
    pub(crate) evict_deadline: Duration,
    pub(crate) max_value_bytes: usize,
    pub(crate) max_key_bytes: usize,
}

/// The parts of a cache, shared by its handles.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) memory: Arc<MemoryTier>,
    pub(crate) flights: Arc<Flights>,
    pub(crate) retries: Arc<Retries>,
    pub(crate) tier: Arc<dyn SharedTier>,
    pub(crate) holds: Holds,
    pub(crate) journal: Journal,
    pub(crate) leases: Leases,
    pub(crate) sites: Sites,
    pub(crate) secret: Option<KeySecret>,
    pub(crate) background: Background,
    pub(crate) closed: AtomicBool,
}

impl Core {
    /// Tells caches of one process apart.
    pub(crate) fn id(self: &Arc<Self>) -> usize {
        Arc::as_ptr(self) as usize
    }

    /// Background work runs, on this runtime if the one it ran on is gone.
    pub(crate) fn wake(self: &Arc<Self>) {
        self.tier.wake();
        if self.journal.len() > 0 {
            self.background.nudge(self);
        }
    }

    /// Whether loads of a key that begin now are held.
    pub(crate) fn holds(&self, text: &str) -> bool {
        self.holds.holds(text, self.clock.now())
    }

    pub(crate) fn hash(&self, text: &str) -> KeyHash {
        self.memory.hash(text.as_bytes())
    }
}
