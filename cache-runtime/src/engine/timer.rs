//! Keys in use are refreshed on a timer, in one process per period, until nobody has asked for them for a while.
//!
//! A period is measured from the birth of the value, which all processes see: whose timer rings first takes the lease, and the others find a value
//! that is younger than a period.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    Core,
    call::Call,
    owned::Origin,
    read::{in_hand, millis},
    refresh::{self, Errand, Refreshed},
};
use crate::{entry::CacheValue, tiers::memory::UNWATCHED};

/// A key is in use for so many periods after its last use.
const PERIODS: u32 = 10;
/// So many keys have a timer; others are refreshed when they are called.
const MOST: usize = 10_000;
/// After a refresh that another process is about to do.
const PAUSE: Duration = Duration::from_millis(100);

/// The keys that have a timer, and when each was used last, by the memory clock.
#[derive(Debug, Default)]
pub(crate) struct Timers(Mutex<HashMap<Box<str>, Watched>>);

#[derive(Debug)]
struct Watched {
    used: Arc<AtomicU64>,
    runs: bool,
}

impl Timers {
    /// The last use of a key, which is now.
    fn use_of(&self, key: &str, now: u64) -> Arc<AtomicU64> {
        let mut keys = self.lock();
        if let Some(watched) = keys.get(key) {
            watched.used.store(now, Ordering::Relaxed);
            return Arc::clone(&watched.used);
        }
        let used = Arc::new(AtomicU64::new(now));
        if keys.len() >= MOST {
            // Calls that were dropped before their timer began.
            keys.retain(|_, watched| watched.runs);
        }
        if keys.len() >= MOST {
            return used;
        }
        let watched = Watched {
            used: Arc::clone(&used),
            runs: false,
        };
        keys.insert(key.into(), watched);
        used
    }

    /// Whether the timer of a key is to be started.
    fn begin(&self, key: &str) -> bool {
        match self.lock().get_mut(key) {
            Some(watched) => !std::mem::replace(&mut watched.runs, true),
            None => false,
        }
    }

    /// Whether a key has been idle for so long, and is therefore forgotten.
    fn is_over(&self, key: &str, now: u64, idle: u64) -> bool {
        let mut keys = self.lock();
        let Some(watched) = keys.get(key) else {
            return true;
        };
        let last = watched.used.load(Ordering::Relaxed);
        if now.saturating_sub(last) < idle {
            return false;
        }
        // A hit that comes after this finds nobody watching, and starts another timer.
        watched.used.store(UNWATCHED, Ordering::Relaxed);
        keys.remove(key);
        true
    }

    fn forget(&self, key: &str) {
        if let Some(watched) = self.lock().remove(key) {
            watched.used.store(UNWATCHED, Ordering::Relaxed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Watched>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The timer's place for the key, forgotten however the timer ends.
struct Place {
    core: Arc<Core>,
    key: Box<str>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.core.timers.forget(&self.key);
    }
}

/// The last use of the key of a call, if its site has a timer.
pub(crate) fn watched(call: &Call) -> Option<Arc<AtomicU64>> {
    call.policy.fresh.refresh_every?;
    let now = call.core.clock.now();
    Some(call.core.timers.use_of(call.key.text(), now))
}

/// Starts the timer of a key that has none, if its site wants one.
pub(crate) fn keep_fresh<V, E>(errand: &Errand, origin: &Origin<V, E>)
where
    V: CacheValue,
    E: Send + 'static,
{
    let call = errand.call();
    let Some(period) = call.policy.fresh.refresh_every.filter(|it| !it.is_zero()) else {
        return;
    };
    let core = &call.core;
    if !core.timers.begin(call.key.text()) {
        return;
    }
    let idle = call.policy.fresh.idle;
    let idle = millis(idle.unwrap_or_else(|| period.saturating_mul(PERIODS)));
    let place = Place {
        core: Arc::clone(core),
        key: call.key.text().into(),
    };
    let (origin, errand) = (origin.clone(), errand.again());
    let work = async move {
        let place = place;
        run(&place, errand, period, idle, &origin).await;
    };
    // Dropped where there is no place for it: the next call tries again.
    core.workers.watch(work);
}

async fn run<V, E>(
    place: &Place,
    errand: Errand,
    period: Duration,
    idle: u64,
    origin: &Origin<V, E>,
) where
    V: CacheValue,
    E: Send + 'static,
{
    let Place { core, key } = place;
    let period = millis(period);
    let mut born = core.clock.now();
    loop {
        let now = core.clock.now();
        let entry = core.memory.get(core.hash(key), key.as_bytes());
        born = entry.map_or(born, |entry| born.max(entry.term.born));
        let left = born.saturating_add(period).saturating_sub(now);
        if left > 0 {
            tokio::time::sleep(Duration::from_millis(left)).await;
            continue;
        }
        if core.timers.is_over(key, now, idle) {
            return;
        }
        if let Some(left) = core.failures.left(key, now) {
            // An eviction ends the pause.
            tokio::time::sleep(left.min(Duration::from_millis(period))).await;
            continue;
        }
        // Others' clocks are read at other moments.
        let due = now.saturating_sub(period - period / 10);
        let entry = core.memory.get(core.hash(key), key.as_bytes());
        let in_hand = entry.and_then(|entry| in_hand(&entry, &errand.call().reader));
        let turn = errand.again().with(in_hand).newer_than(due);
        match refresh::waited_for(turn, origin.clone()).await {
            Refreshed::Done => born = born.max(core.clock.now().saturating_sub(period / 20)),
            Refreshed::Needless => tokio::time::sleep(PAUSE).await,
            Refreshed::Failed(pause) => tokio::time::sleep(pause).await,
        }
    }
}
