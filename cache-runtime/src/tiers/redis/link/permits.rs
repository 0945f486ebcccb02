//! How many operations may be in flight.
//!
//! Against a stalled server every caller would otherwise add one more waiting operation and its memory.
//! Reads and fills beyond the limit are refused at once: the caller goes to the origin. Evictions must not
//! be refused because reads fill the house, so they (and what keeps leases) have permits of their own
//! and wait for one within their deadline.

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout_at;

use super::Deadline;
use crate::tiers::{ErrorKind, TierError};

/// Which permits an operation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tiers::redis) enum Lane {
    /// Reads and fills: refused when full.
    Traffic,
    /// Evictions, renewals, releases: wait.
    Upkeep,
}

const UPKEEP: usize = 128;

#[derive(Debug)]
pub(super) struct Permits {
    traffic: Semaphore,
    upkeep: Semaphore,
}

impl Permits {
    pub(super) fn new(max_in_flight: usize) -> Self {
        Self {
            traffic: Semaphore::new(max_in_flight.clamp(1, Semaphore::MAX_PERMITS)),
            upkeep: Semaphore::new(UPKEEP),
        }
    }

    pub(super) async fn take(
        &self,
        lane: Lane,
        by: Deadline,
    ) -> Result<SemaphorePermit<'_>, TierError> {
        let full = || TierError::new(ErrorKind::Busy, "too many operations are in flight");
        match lane {
            Lane::Traffic => self.traffic.try_acquire().map_err(|_| full()),
            Lane::Upkeep => match timeout_at(by.at, self.upkeep.acquire()).await {
                Ok(Ok(permit)) => Ok(permit),
                _ => Err(full()),
            },
        }
    }
}
