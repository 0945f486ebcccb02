//! How long one call may wait for Redis, all its commands together.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    observe::{Count, Counters},
    tiers::{ErrorKind, TierError},
};

/// What is left of a call's Redis budget.
///
/// After one command that failed or had no answer, the rest of the call does without Redis: the
/// caller is at most one budget late, whatever happens.
#[derive(Debug)]
pub(crate) struct Budget {
    left: Option<Duration>,
}

impl Budget {
    pub(crate) const fn new(whole: Duration) -> Self {
        Self { left: Some(whole) }
    }

    /// No Redis for this call.
    pub(crate) const fn none() -> Self {
        Self { left: None }
    }

    /// The deadline of the next command; `None` when Redis is out of this call.
    pub(crate) const fn left(&self) -> Option<Duration> {
        self.left
    }

    /// Books a command that began at `started`.
    pub(crate) fn book<T>(
        &mut self,
        started: Instant,
        result: Result<T, TierError>,
        counters: &Counters,
    ) -> Option<T> {
        let answer = self.answered(result, counters)?;
        self.spend(started);
        Some(answer)
    }

    /// Books a command but for its time, which is to be [spent](Self::spend) before another is sent.
    pub(crate) fn answered<T>(
        &mut self,
        result: Result<T, TierError>,
        counters: &Counters,
    ) -> Option<T> {
        match result {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.left = None;
                count(&error, counters);
                None
            }
        }
    }

    /// Books the time since `started`.
    pub(crate) fn spend(&mut self, started: Instant) {
        self.left = self.left.map(|left| left.saturating_sub(started.elapsed()));
    }

    /// As it was before a poll that was answered: waiting for another's load is bounded by `wait_timeout`, not
    /// by the budget.
    pub(crate) fn restore(&mut self, before: Option<Duration>) {
        self.left = before;
    }
}

/// Counts a failed command by kind.
pub(crate) fn count(error: &TierError, counters: &Counters) {
    counters.add(Count::RedisError);
    counters.add(match error.kind {
        ErrorKind::Timeout => Count::RedisTimeout,
        ErrorKind::Unavailable => Count::RedisUnavailable,
        ErrorKind::Refused => Count::RedisRefused,
        ErrorKind::Busy => Count::RedisBusy,
        ErrorKind::Protocol => Count::RedisProtocol,
    });
}
