//! How many operations may be in flight.
//!
//! Against a stalled server every caller would otherwise add one more waiting operation and its memory.
//! Reads and fills beyond the limit are refused at once: the caller goes to the origin. Evictions must not
//! be refused because reads fill the house, so they (and what keeps leases) have permits of their own
//! and wait for one within their deadline.
//!
//! Who never waits needs no queue: reads and fills are a number.

use std::sync::atomic::{AtomicUsize, Ordering};

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
    traffic: AtomicUsize,
    most: usize,
    upkeep: Semaphore,
}

/// The right to be in flight; given back when dropped.
#[derive(Debug)]
pub(super) enum Permit<'p> {
    Traffic(&'p AtomicUsize),
    Upkeep { _permit: SemaphorePermit<'p> },
}

impl Permits {
    pub(super) fn new(max_in_flight: usize) -> Self {
        Self {
            traffic: AtomicUsize::new(0),
            most: max_in_flight.max(1),
            upkeep: Semaphore::new(UPKEEP),
        }
    }

    /// To read or fill, if there is room.
    pub(super) fn traffic(&self) -> Result<Permit<'_>, TierError> {
        let permit = Permit::Traffic(&self.traffic);
        // One too many gives its own back.
        let before = self.traffic.fetch_add(1, Ordering::Relaxed);
        if before < self.most {
            Ok(permit)
        } else {
            Err(full())
        }
    }

    /// To evict, or to keep what was granted, as soon as there is room.
    pub(super) async fn upkeep(&self, by: Deadline) -> Result<Permit<'_>, TierError> {
        match timeout_at(by.at, self.upkeep.acquire()).await {
            Ok(Ok(permit)) => Ok(Permit::Upkeep { _permit: permit }),
            _ => Err(full()),
        }
    }
}

fn full() -> TierError {
    TierError::new(ErrorKind::Busy, "too many operations are in flight")
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if let Self::Traffic(in_flight) = self {
            in_flight.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
