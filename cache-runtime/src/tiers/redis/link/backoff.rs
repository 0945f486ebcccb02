//! How long to wait before the next attempt.
//!
//! Full jitter (Brooker, "Exponential Backoff and Jitter", AWS 2015): uniformly random below a bound
//! that doubles from 50 ms to 1.5 s, so that the clients of a restarted server do not return together. A
//! connection that did not last does not reset the bound, or a server that resets every connection
//! would be asked twenty times a second.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
const CAP: Duration = Duration::from_millis(1_500);

/// The delays of one supervisor.
#[derive(Debug)]
pub(in crate::tiers::redis) struct Backoff {
    bound: Duration,
}

impl Backoff {
    pub(in crate::tiers::redis) fn new() -> Self {
        Self { bound: FIRST }
    }

    /// The next delay.
    pub(in crate::tiers::redis) fn delay(&mut self) -> Duration {
        let delay = self.bound.mul_f64(fastrand::f64());
        self.bound = (self.bound * 2).min(CAP);
        delay
    }

    /// A connection stood this long.
    pub(in crate::tiers::redis) fn stood(&mut self, time: Duration) {
        if time >= CAP {
            self.bound = FIRST;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_the_cap_and_start_over_after_a_lasting_connection() {
        let mut backoff = Backoff::new();
        assert!(backoff.delay() <= FIRST);
        for _ in 0..100 {
            assert!(backoff.delay() <= CAP);
        }
        backoff.stood(Duration::from_millis(300));
        assert_eq!(backoff.bound, CAP);
        backoff.stood(CAP);
        assert_eq!(backoff.bound, FIRST);
    }
}
