//! What a limit says to a request.

use std::time::Duration;

/// The answer of an algorithm, its times in the algorithm's own unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) allowed: bool,
    /// How many more may come now.
    pub(super) left: u64,
    /// Until nothing is counted any more.
    pub(super) full: u64,
    /// Until this request would be allowed, if no other comes.
    pub(super) wait: u64,
}

impl Decision {
    pub(super) fn reads(self, unit: fn(u64) -> Duration) -> Verdict {
        Verdict {
            allowed: self.allowed,
            left: self.left,
            full: unit(self.full),
            wait: unit(self.wait),
        }
    }
}

/// The same in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) allowed: bool,
    pub(super) left: u64,
    pub(super) full: Duration,
    pub(super) wait: Duration,
}

/// Whole seconds that are surely over when they are over.
pub(super) fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}
