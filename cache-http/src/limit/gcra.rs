//! The generic cell rate algorithm (ITU-T I.371, Annex A), as a virtual schedule.
//!
//! One number is kept: when all that was allowed would have come, had it come at exactly the rate. A request pushes it on by one interval, and is
//! allowed if it is then no further ahead of the present than a burst takes. So at most `burst` come at once, one more after each interval,
//! and never more; there is no window whose edge lets two quotas through. `scripts/gcra.lua` is the same for Redis.

use super::decision::Decision;

/// Microseconds; two numbers that say all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gcra {
    /// Between two requests at the exact rate.
    pub(super) interval: u64,
    /// How many may come at once.
    pub(super) burst: u64,
}

/// So far ahead of the present nothing may be: the scripts count in doubles, whole up to 2^53.
const MOST_AHEAD: u64 = 1 << 52;

impl Gcra {
    /// Intervals are whole microseconds, rounded up: the rate is never more than asked for, and for `n` in `per` it is less by at most `n` µs in each `per`.
    pub(super) fn new(n: u64, per: u64, burst: u64) -> Self {
        let interval = per.div_ceil(n).max(1);
        let burst = burst.clamp(1, MOST_AHEAD / interval);
        Self { interval, burst }
    }

    /// What one of so many instances may let through, so that all together let through no more (but each at least one).
    pub(super) fn part_of(self, instances: u64) -> Self {
        let interval = self.interval.saturating_mul(instances).min(MOST_AHEAD);
        let burst = (self.burst / instances).clamp(1, MOST_AHEAD / interval);
        Self { interval, burst }
    }

    /// Judges a request, and says what to remember if it is allowed.
    pub(super) fn decide(self, due: Option<u64>, now: u64, cost: u64) -> (Decision, Option<u64>) {
        let tolerance = self.interval * self.burst;
        let due = due.unwrap_or(now).clamp(now, now + tolerance);
        let after = due + cost.min(self.burst) * self.interval;
        let ahead = after - now;
        if ahead > tolerance {
            let refused = Decision {
                allowed: false,
                left: (tolerance - (due - now)) / self.interval,
                full: due - now,
                wait: ahead - tolerance,
            };
            return (refused, None);
        }
        let allowed = Decision {
            allowed: true,
            left: (tolerance - ahead) / self.interval,
            full: ahead,
            wait: 0,
        };
        (allowed, Some(after))
    }
}
