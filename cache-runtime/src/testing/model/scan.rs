//! What scans of the server find: a sweep value by value and lease by lease, a reclaim all at once.
//!
//! A sweep is one pass. The order in which a server comes to names is no order of ours, so it is the worst here: each value before its lease. What was loaded
//! before a sweep began is not stored while it is under way; loads that begin meanwhile know of it.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    ModelRedis,
    slot::{expire_value, until},
};
use crate::{bus::Manner, key::Pattern};

/// The values of a region as they are at this moment.
pub(super) fn values_below(server: &ModelRedis, region: &str) -> Vec<(Box<str>, Bytes)> {
    let below = Pattern::region(region);
    let mut state = server.lock();
    let ours = state.keys.iter_mut().filter(|(key, _)| below.matches(key));
    ours.filter_map(|(key, slot)| Some((key.clone(), slot.live().value.as_ref()?.0.clone())))
        .collect()
}

/// How long a sweep is heeded that was given up.
const HEEDED: Duration = Duration::from_secs(20);

/// A sweep under way.
#[derive(Debug)]
pub(super) struct Sweep {
    number: u64,
    pattern: Pattern,
    until: Instant,
}

/// The sweeps under way.
#[derive(Debug, Default)]
pub(super) struct Sweeps {
    begun: u64,
    under_way: Vec<Sweep>,
}

impl Sweeps {
    pub(super) fn begin(&mut self, pattern: Pattern) -> u64 {
        self.begun += 1;
        self.under_way.push(Sweep {
            number: self.begun,
            pattern,
            until: until(HEEDED),
        });
        self.begun
    }

    /// Whether it was there.
    pub(super) fn end(&mut self, number: u64) -> bool {
        let before = self.live().len();
        self.under_way.retain(|it| it.number != number);
        self.under_way.len() < before
    }

    /// Those that a load which begins now knows of.
    pub(super) fn known(&self) -> u64 {
        self.begun
    }

    /// Whether one is under way that may mean this key and that a load does not know of.
    pub(super) fn refuse(&mut self, key: &str, known: u64) -> bool {
        let meant = |it: &Sweep| it.number > known && it.pattern.matches(key);
        self.live().iter().any(meant)
    }

    /// Lost, as with all data; numbers are not given a second time.
    pub(super) fn lose(&mut self) {
        self.under_way.clear();
    }

    fn live(&mut self) -> &[Sweep] {
        let now = Instant::now();
        self.under_way.retain(|it| now < it.until);
        &self.under_way
    }
}

/// A name on the server.
#[derive(Clone, Debug)]
pub(super) enum Name {
    Value(Box<str>),
    Lease(Box<str>),
}

/// Comes to the name after `from`, and whether it was a value and something was done; `None` at the end.
pub(super) fn scan_one(
    server: &ModelRedis,
    from: Option<Name>,
    pattern: &Pattern,
    manner: Manner,
) -> Option<(Name, bool)> {
    use std::ops::Bound::{Excluded, Included, Unbounded};
    let (first, lease) = match from {
        None => (Unbounded, false),
        Some(Name::Value(key)) => (Included(key), true),
        Some(Name::Lease(key)) => (Excluded(key), false),
    };
    let mut state = server.lock();
    let (key, slot) = state
        .keys
        .range_mut::<Box<str>, _>((first, Unbounded))
        .next()?;
    let (slot, meant) = (slot.live(), pattern.matches(key));
    if lease {
        slot.lease.take_if(|_| meant);
        return Some((Name::Lease(key.clone()), false));
    }
    let touched = meant
        && match manner {
            Manner::Evict => slot.value.take().is_some(),
            Manner::Expire => expire_value(slot),
        };
    Some((Name::Value(key.clone()), touched))
}
