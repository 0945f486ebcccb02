//! The clock of the memory tier.
//!
//! Every memory hit reads it, so it has to cost a few nanoseconds; and it has to go on while the
//! process is stopped, so it is read at each use and never ticked by a task. The kernel's coarse
//! monotonic clock is both (a reading is at most one scheduler tick old, 1–10 ms). It never goes
//! back, and wall-clock changes do not touch it.

#[cfg(feature = "test-util")]
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
#[cfg(feature = "test-util")]
use std::time::Duration;

/// Milliseconds on a monotonic scale of this process; zero is unspecified.
#[derive(Clone, Debug, Default)]
pub(crate) enum Clock {
    /// The kernel's coarse monotonic clock.
    #[default]
    System,
    /// A clock that moves when a test says so.
    #[cfg(feature = "test-util")]
    Manual(ManualClock),
    /// The clock waiting runs on, which a test may pause.
    #[cfg(feature = "test-util")]
    Tokio(tokio::time::Instant),
}

impl Clock {
    /// The present, in milliseconds.
    #[inline]
    pub(crate) fn now(&self) -> u64 {
        match self {
            Self::System => {
                let now = coarsetime::Instant::now_without_cache_update();
                coarsetime::Duration::from_ticks(now.as_ticks()).as_millis()
            }
            #[cfg(feature = "test-util")]
            Self::Manual(clock) => clock.now(),
            #[cfg(feature = "test-util")]
            Self::Tokio(start) => {
                u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX / 2)
            }
        }
    }
}

impl Clock {
    /// The clock that signs of life are measured by: this one, but for a clock that only moves when a test says so, while the servers
    /// it talks to live in the present. `now` is what [`now`](Self::now) has just said.
    #[inline]
    pub(crate) fn of_signs(&self, now: u64) -> u64 {
        match self {
            #[cfg(feature = "test-util")]
            Self::Manual(_) => Self::System.now(),
            _ => now,
        }
    }
}

/// A clock for tests: it stands still until [`advance`](Self::advance) moves it.
///
/// It drives the deadlines of the memory tier. Waiting (`wait_timeout`, polling) runs on tokio's
/// clock, which a test pauses with `#[tokio::test(start_paused = true)]`.
#[cfg(feature = "test-util")]
#[derive(Clone, Debug, Default)]
pub struct ManualClock(Arc<AtomicU64>);

#[cfg(feature = "test-util")]
impl ManualClock {
    /// A clock that starts at an arbitrary point.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(AtomicU64::new(1_000_000)))
    }

    /// Moves the clock forward; fractions of a millisecond are lost.
    pub fn advance(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX / 2);
        self.0.fetch_add(millis, Ordering::SeqCst);
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}
