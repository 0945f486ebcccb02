//! What the processes of a fleet tell their judge, in batches: every read, and every write that is complete.
//!
//! Times are nanoseconds of the system's monotonic clock, which is one for all processes of a machine and goes on while
//! one of them is stopped.

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use super::{Family, Reach};

/// The present.
pub fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).expect("the clock begins at 0");
    let rest = u64::try_from(now.tv_nsec).expect("a part of a second is positive");
    seconds * 1_000_000_000 + rest
}

/// A read that has returned a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Whose entry it was.
    pub family: Family,
    /// The row.
    pub row: usize,
    /// When the read began.
    pub began: u64,
    /// What it returned.
    pub version: u64,
    /// Whether the value was asked of Redis or of the origin after the read began: not of memory, and not of another's load.
    pub asked: bool,
    /// Whether it was served as a value past its ttl, which `expire` does not take away.
    pub stale: bool,
}

/// A write that is complete in its own process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The row.
    pub row: usize,
    /// What it is now.
    pub version: u64,
    /// Which entries were evicted.
    pub reach: Vec<Reach>,
    /// When it began.
    pub began: u64,
    /// When it was complete.
    pub at: u64,
    /// Whether Redis is known to have confirmed by then; else it has when the journal is empty.
    pub confirmed: bool,
    /// Whether the entries were expired, and not evicted.
    pub expired: bool,
}

/// What one process did since it last told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// In no particular order.
    pub reads: Vec<Seen>,
    /// In the order of their completion.
    pub writes: Vec<Done>,
    /// The time before which everything that is complete is confirmed too: when the journal was seen to be empty.
    pub delivered: Option<u64>,
    /// Stores that were refused, since the process began.
    pub refused: u64,
    /// Evictions begun, since the process began.
    pub evictions: u64,
}
