//! Hits in memory of sites that want more than the value: a refresh before it ends, a comparison with the origin, a timer.

use super::{
    call::Call,
    check,
    owned::Origin,
    read::wants,
    refresh::{self, Claim, Errand},
    timer,
};
use crate::{
    entry::CacheValue,
    observe::Served,
    tiers::memory::{Care, Due, Remembered},
};

/// Answers a call from memory, whatever that calls for.
pub(crate) fn serve_hit<V, E>(call: &mut Call, origin: &Origin<V, E>) -> Option<V>
where
    V: CacheValue,
    E: Send + 'static,
{
    let entry = call.entry()?;
    if let Some(due) = call.due_of(&entry) {
        return serve_due(call.again(), &entry, due, origin);
    }
    let value = entry.typed::<V>(&call.reader)?;
    call.served = Served::Memory;
    call.finished();
    Some(value)
}

/// Answers a hit in memory that calls for something.
pub(crate) fn serve_due<V, E>(
    mut call: Call,
    entry: &Remembered,
    due: Due,
    origin: &Origin<V, E>,
) -> Option<V>
where
    V: CacheValue,
    E: Send + 'static,
{
    let value = entry.typed::<V>(&call.reader)?;
    call.watch = timer::watched(&call);
    let errand = Errand::of(&call);
    let due = match due {
        Due::Watch => {
            // What its site wants may be nothing, by an expression.
            let wants = wants(&call.policy, call.watch.as_ref()).unwrap_or_default();
            let care = Care::new(&wants, &entry.term(), None);
            // Another hit may have been first, or a timer may have ended.
            let memory = &call.core.memory;
            memory.watch(&entry.entry, care);
            let care = memory.care(&entry.entry);
            if let Some(used) = care.as_ref().and_then(|care| care.used()) {
                timer::resumed(&call, used);
            }
            timer::keep_fresh(&errand, origin);
            care.and_then(|care| care.due(call.core.clock.now(), fastrand::f64))
        }
        due => Some(due),
    };
    match due {
        Some(Due::Refresh) => {
            if let Some(claim) = Claim::of(&call.core, entry) {
                let in_hand = claim.in_hand(&call);
                refresh::start(errand.with(in_hand), origin.clone(), Some(claim));
            }
        }
        Some(Due::Check) => check::start(&errand, value.clone(), origin),
        Some(Due::Watch) | None => {}
    }
    call.served = Served::Memory;
    call.finished();
    Some(value)
}
