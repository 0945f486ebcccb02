//! A value that a caller has and would rather not serve: past its ttl, or about to be refreshed.

use std::time::Duration;

use crate::{
    entry::{Erased, Token},
    policy::Freshness,
};

/// See the module. Times are milliseconds of the memory clock.
#[derive(Clone, Debug)]
pub(crate) struct InHand {
    /// Of the reader's type.
    pub(crate) value: Erased,
    /// Of what Redis has.
    pub(crate) token: Option<Token>,
    pub(crate) born: u64,
    pub(crate) ttl_until: u64,
    /// The end of everything.
    pub(crate) kept_until: u64,
    pub(crate) source: Source,
}

/// Where a value in hand is from: what may be said of it to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Memory, before the flight was registered: an eviction may have come between. Others look there themselves.
    Memory,
    /// Redis, after the flight was registered: an eviction that came later marks it.
    Redis,
}

impl InHand {
    /// Whether it is served at once, and refreshed in the background.
    pub(crate) fn revalidates(&self, policy: &Freshness, now: u64) -> bool {
        self.is_in(policy.stale_while_revalidate, now)
    }

    /// Whether it is served where the origin fails.
    pub(crate) fn hides_errors(&self, policy: &Freshness, now: u64) -> bool {
        self.is_in(policy.stale_if_error, now)
    }

    /// Whether it is served where the origin is slow.
    pub(crate) fn hides_delays(&self, now: u64) -> bool {
        now < self.kept_until
    }

    /// Whether both are of one load.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self.token, other.token) {
            (Some(one), Some(other)) => one == other,
            _ => self.born == other.born,
        }
    }

    fn is_in(&self, window: Option<Duration>, now: u64) -> bool {
        let window = window.map_or(0, |window| {
            u64::try_from(window.as_millis()).unwrap_or(u64::MAX)
        });
        window > 0 && now < self.ttl_until.saturating_add(window).min(self.kept_until)
    }
}
