//! Hits that are compared with the origin, to find what was changed behind the cache's back.
//!
//! A difference may be an eviction that has not come yet: the writer has committed and is about to evict. So it is looked at again a little
//! later, and counts only if the value would still be served.

use std::{sync::Arc, time::Duration};

use tracing::Instrument as _;

use super::{
    EvictTask,
    call::Call,
    chain::{self, Link},
    owned::Origin,
    refresh::Errand,
    run::wish,
    selection::{Item, Target},
    spans,
};
use crate::{
    cache::scope,
    entry::{CacheValue, Erased},
    flight::{FlightKind, Registered, Wanted},
    observe::Count,
};

/// How long an eviction may take to follow what it was made for.
const GRACE: Duration = Duration::from_millis(500);

/// Compares a value that was served with the origin's, in the background.
pub(crate) fn start<V, E>(errand: &Errand, value: V, origin: &Origin<V, E>)
where
    V: CacheValue,
    E: Send + 'static,
{
    let (origin, call) = (origin.clone(), errand.call().again());
    let core = Arc::clone(&call.core);
    let key = call.key.text().to_owned();
    if core.failures.left(&key, core.clock.now()).is_some() {
        return;
    }
    let work = errand.within(async move { compare(call, Arc::new(value), &origin).await });
    // Where there is no place for it, another hit will be compared.
    core.workers.check(&key, work);
}

async fn compare<V, E>(call: Call, served: Erased, origin: &Origin<V, E>)
where
    V: CacheValue,
    E: Send + 'static,
{
    let core = Arc::clone(&call.core);
    // Evictions mark it as they would a load.
    let begin = || core.beginning(call.key.text(), &call.labelling);
    let wanted = Wanted {
        reader: call.reader,
        kind: FlightKind::Alone,
        tags: &call.labelling.tags,
    };
    let flights = Arc::clone(&core.flights);
    let Registered::Leads(guard) = flights.register(&call.key, call.hash, wanted, begin, || None)
    else {
        return;
    };
    let link = Link::new(core.id(), call.key.clone(), None);
    let load = scope::in_load(chain::with(link, (origin.run)()));
    let Ok(value) = load.instrument(spans::load(&call)).await else {
        return;
    };
    let wish = wish(&call, &origin.with.hooks, &value, Duration::ZERO);
    if wish.veto || wish.ttl.is_some_and(|ttl| ttl.is_zero()) {
        return;
    }
    let value: Erased = Arc::new(value);
    let stands = || !guard.flight().is_marked() && !guard.flight().is_outdated(&core.cells);
    let (Some(there), Some(here)) = (json(&call, &value), json(&call, &served)) else {
        return;
    };
    if !stands() {
        return;
    }
    if there == here {
        call.counters.add(Count::Check);
        return;
    }
    tokio::time::sleep(GRACE).await;
    let now = call.again().stored_now().await;
    let is_served_on = now.and_then(|now| json(&call, &now)) == Some(here);
    if !stands() || !is_served_on {
        return;
    }
    call.counters.add(Count::Check);
    call.counters.add(Count::Difference);
    tracing::warn!(
        cache = core.settings.name,
        region = call.key.region(),
        "a cached value differs from the origin's: something changes it without an eviction; it is evicted now"
    );
    drop(guard);
    heal(&call).await;
}

/// The whole fleet loses the value.
async fn heal(call: &Call) {
    let item = Item::evict(Target::Key(call.key.clone()));
    let eviction = EvictTask::new(&call.core, vec![item]);
    // What Redis does not confirm is queued.
    let _ = eviction
        .counted_by(Arc::clone(&call.counters))
        .run_detached()
        .await;
}

/// A value as JSON, in which maps have no order.
fn json(call: &Call, value: &Erased) -> Option<serde_json::Value> {
    let bytes = (call.reader.ty.encode)(value, call.core.settings.max_value_bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}
