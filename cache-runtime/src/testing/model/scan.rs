//! What scans of the server find: a sweep key by key, a reclaim all at once.

use bytes::Bytes;

use super::{ModelRedis, slot::expire_value};
use crate::{bus::Manner, key::Pattern};

/// The values of a region as they are at this moment.
pub(super) fn values_below(server: &ModelRedis, region: &str) -> Vec<(Box<str>, Bytes)> {
    let below = Pattern::region(region);
    let mut state = server.lock();
    let ours = state.keys.iter_mut().filter(|(key, _)| below.matches(key));
    ours.filter_map(|(key, slot)| Some((key.clone(), slot.live().value.as_ref()?.0.clone())))
        .collect()
}

/// What a sweep is over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    Leases,
    Values(Manner),
}

/// The next key after `from`, and whether it was chosen and something was done; `None` at the end.
pub(super) fn scan_one(
    server: &ModelRedis,
    from: Option<Box<str>>,
    pattern: &Pattern,
    pass: Pass,
) -> Option<(Box<str>, bool)> {
    use std::ops::Bound::{Excluded, Unbounded};
    let mut state = server.lock();
    let range = (from.map_or(Unbounded, Excluded), Unbounded);
    let (key, slot) = state.keys.range_mut::<Box<str>, _>(range).next()?;
    let slot = slot.live();
    let touched = pattern.matches(key)
        && match pass {
            Pass::Leases => slot.lease.take().is_some(),
            Pass::Values(Manner::Evict) => slot.value.take().is_some(),
            Pass::Values(Manner::Expire) => expire_value(slot),
        };
    Some((key.clone(), touched))
}
