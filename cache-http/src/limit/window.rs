//! A sliding window of two counters.
//!
//! Time is cut into windows of the size of the limit. What was counted in the one before the present one is taken for evenly spread: so far
//! into the present window, that much less of it still counts. Two numbers for a client, whatever it does; `scripts/window.lua` is the same for Redis.
//!
//! **How wrong it can be.** With `f` the part of the present window that has passed and `b` the count of the one before, an allowed request leaves
//! `here + b·(1 − f) ≤ n`. In truth up to all of `b` may lie within the last window's length, so what was allowed in it is at most `n + b·f`: never `2n`,
//! and no more than `n` where the requests before were spread evenly. The other way round, up to `b·(1 − f)` that lie further back
//! count still. In the traffic of Cloudflare, who described this, 0.003 % of 400 million requests were judged otherwise than by exact count (“How we built rate limiting
//! capable of scaling to millions of domains”, 2017).

use super::decision::Decision;

/// Milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) size: u64,
    pub(super) most: u64,
}

/// What was counted: which window, in it, and in the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    window: u64,
    here: u64,
    before: u64,
}

impl Window {
    pub(super) fn new(most: u64, size: u64) -> Self {
        Self {
            size: size.max(1),
            most,
        }
    }

    /// Judges a request, and says what to remember if it is allowed. Times of the decision are milliseconds.
    pub(super) fn decide(
        self,
        counted: Option<Counted>,
        now: u64,
        cost: u64,
    ) -> (Decision, Option<Counted>) {
        let Self { size, most } = self;
        let cost = cost.min(most);
        let window = now / size;
        let passed = now % size;
        let (here, before) = match counted {
            Some(it) if it.window == window => (it.here, it.before),
            Some(it) if it.window + 1 == window => (0, it.here),
            _ => (0, 0),
        };
        // What may still come, times the size of a window: whole numbers compare exactly.
        let times = |count: u64, time: u64| u128::from(count) * u128::from(time);
        let used = times(before, size - passed) + times(here, size);
        let room = times(most, size).saturating_sub(used);
        if room < times(cost, size) {
            let wait = if here + cost <= most {
                size - share(most - here - cost, before, size) - passed
            } else {
                size - passed + size - share(most - cost, here, size)
            };
            let refused = Decision {
                allowed: false,
                left: whole(room, size),
                full: if here > 0 {
                    2 * size - passed
                } else {
                    size - passed
                },
                wait,
            };
            return (refused, None);
        }
        let allowed = Decision {
            allowed: true,
            left: whole(room, size) - cost,
            full: 2 * size - passed,
            wait: 0,
        };
        let here = here + cost;
        let counted = Counted {
            window,
            here,
            before,
        };
        (allowed, Some(counted))
    }
}

/// So many of so many, of a time.
fn share(some: u64, all: u64, time: u64) -> u64 {
    whole(u128::from(some) * u128::from(time), all)
}

fn whole(product: u128, by: u64) -> u64 {
    u64::try_from(product / u128::from(by)).expect("no count and no time here is beyond 2^64")
}
