//! For tests (feature `test-util`): a clock to move, a model of Redis, and what a shared tier of one's own has to pass.

pub mod conformance;
mod model;

pub use crate::ports::{Hosts, ManualClock};
pub use model::{Fate, Faults, ModelRedis, Network, Passage, Step};

use crate::Cache;

/// What the calls that are over must not leave behind in this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Loads and puts in the table of flights.
    pub flights: usize,
    /// Keys whose callers wait for a turn at the origin.
    pub retry_queues: usize,
    /// Refreshes, and loads that nobody waits for.
    pub background_loads: usize,
}

/// Counts what is under way in a cache.
#[must_use]
pub fn leftovers(cache: &Cache) -> Leftovers {
    let core = cache.core();
    Leftovers {
        flights: core.flights.len(),
        retry_queues: core.retries.len(),
        background_loads: core.workers.len(),
    }
}
