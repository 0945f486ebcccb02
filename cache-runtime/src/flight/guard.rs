//! The right to end a flight; dropping it hands the key to the next caller.

use std::sync::Arc;

use super::{
    state::{Flight, Outcome},
    table::Shard,
};
use crate::tiers::memory::{KeyHash, NewEntry};

/// Held by the leader from registration to the end.
#[derive(Debug)]
pub(crate) struct FlightGuard {
    shard: Arc<Shard>,
    flight: Arc<Flight>,
    hash: KeyHash,
    /// What the waiters get if the guard is dropped.
    fallback: Option<Box<Outcome>>,
    ended: bool,
}

impl FlightGuard {
    pub(super) fn new(shard: Arc<Shard>, flight: Arc<Flight>, hash: KeyHash) -> Self {
        Self {
            shard,
            flight,
            hash,
            fallback: None,
            ended: false,
        }
    }

    pub(crate) fn flight(&self) -> &Arc<Flight> {
        &self.flight
    }

    /// The load is done; only storing is left. A leader dropped from here on has still answered its waiters.
    pub(crate) fn has(&mut self, outcome: Outcome) {
        self.fallback = Some(Box::new(outcome));
    }

    /// Marks the flight and takes it out of the table: later callers start anew.
    pub(crate) fn mark(&self) {
        self.shard.mark_one(&self.flight, self.hash);
    }

    /// Ends the flight; tells whether `entry` went into memory.
    pub(crate) fn end(mut self, outcome: Outcome, entry: Option<NewEntry>) -> bool {
        self.ended = true;
        self.shard.end(&self.flight, self.hash, outcome, entry)
    }
}

impl Drop for FlightGuard {
    fn drop(&mut self) {
        if !self.ended {
            let fallback = self.fallback.take();
            let outcome = fallback.map_or(Outcome::Abandoned, |outcome| *outcome);
            self.shard.end(&self.flight, self.hash, outcome, None);
        }
    }
}
