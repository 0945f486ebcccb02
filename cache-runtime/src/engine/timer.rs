//! Keys in use are refreshed on a timer, in one process per period, until nobody has asked for them for a while.
//!
//! A period is measured from the birth of the value, which all processes see: whose timer rings first takes the lease, and the others find a value
//! that is younger than a period.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    Core,
    call::Call,
    owned::Origin,
    read::{in_hand, millis},
    refresh::{self, Errand, Intent, Refreshed},
};
use crate::{entry::CacheValue, tiers::memory::UNWATCHED};

/// A key is in use for so many periods after its last use.
const PERIODS: u32 = 10;
/// So many keys have a timer; a hit of any other refreshes it when a period is over.
const MOST: usize = 10_000;
/// At least so long after a turn that came to nothing: another does it, or there was no place for it.
const PAUSE: Duration = Duration::from_millis(200);

/// The keys that have a timer, and when each was used last, by the memory clock.
#[derive(Debug, Default)]
pub(crate) struct Timers(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    keys: HashMap<Box<str>, Watched>,
    /// When it is worth while to look for places again.
    look_at: u64,
}

#[derive(Debug)]
struct Watched {
    used: Arc<AtomicU64>,
    runs: bool,
}

impl Timers {
    /// The last use of a key, which is now.
    fn use_of(&self, key: &str, now: u64) -> Option<Arc<AtomicU64>> {
        let mut table = self.lock();
        if let Some(watched) = table.keys.get(key) {
            watched.used.store(now, Ordering::Relaxed);
            return Some(Arc::clone(&watched.used));
        }
        let used = Arc::new(AtomicU64::new(now));
        table.add(key, &used, now).then_some(used)
    }

    /// The same for a last use that an entry knows already.
    fn resume(&self, key: &str, used: &Arc<AtomicU64>, now: u64) {
        used.store(now, Ordering::Relaxed);
        let mut table = self.lock();
        if !table.keys.contains_key(key) {
            table.add(key, used, now);
        }
    }

    /// Whether the timer of a key is to be started.
    fn begin(&self, key: &str) -> bool {
        match self.lock().keys.get_mut(key) {
            Some(watched) => !std::mem::replace(&mut watched.runs, true),
            None => false,
        }
    }

    /// Whether a key has been idle for so long, and is therefore forgotten.
    fn is_over(&self, key: &str, now: u64, idle: u64) -> bool {
        let mut table = self.lock();
        let Some(watched) = table.keys.get(key) else {
            return true;
        };
        let last = watched.used.load(Ordering::Relaxed);
        if now.saturating_sub(last) < idle {
            return false;
        }
        // A hit that comes after this finds nobody watching, and starts another timer.
        watched.used.store(UNWATCHED, Ordering::Relaxed);
        table.keys.remove(key);
        true
    }

    fn forget(&self, key: &str) {
        if let Some(watched) = self.lock().keys.remove(key) {
            watched.used.store(UNWATCHED, Ordering::Relaxed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Whether there was a place for the key.
    fn add(&mut self, key: &str, used: &Arc<AtomicU64>, now: u64) -> bool {
        if self.keys.len() >= MOST && self.look_at <= now {
            // Calls that were dropped before their timer began.
            self.keys.retain(|_, watched| watched.runs);
            self.look_at = now.saturating_add(1_000);
        }
        let fits = self.keys.len() < MOST;
        if fits {
            let watched = Watched {
                used: Arc::clone(used),
                runs: false,
            };
            self.keys.insert(key.into(), watched);
        }
        fits
    }
}

/// The timer's place for the key, forgotten however the timer ends.
struct Place {
    core: Weak<Core>,
    key: Box<str>,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(core) = self.core.upgrade() {
            core.timers.forget(&self.key);
        }
    }
}

/// The last use of the key of a call, if its site has a timer and there is one for the key.
pub(crate) fn watched(call: &Call) -> Option<Arc<AtomicU64>> {
    period(call)?;
    let now = call.core.clock.now();
    call.core.timers.use_of(call.key.text(), now)
}

/// A hit whose entry knows a last use that nobody watches any more: somebody does again.
pub(crate) fn resumed(call: &Call, used: &Arc<AtomicU64>) {
    let now = call.core.clock.now();
    call.core.timers.resume(call.key.text(), used, now);
}

fn period(call: &Call) -> Option<Duration> {
    let period = call.policy.fresh.refresh_every;
    period.filter(|period| !period.is_zero())
}

/// Starts the timer of a key that has none, if its site wants one.
pub(crate) fn keep_fresh<V, E>(errand: &Errand, origin: &Origin<V, E>)
where
    V: CacheValue,
    E: Send + 'static,
{
    let call = errand.call();
    let Some(period) = period(call) else {
        return;
    };
    let core = &call.core;
    if core.workers.is_closed() || !core.timers.begin(call.key.text()) {
        return;
    }
    let idle = call.policy.fresh.idle;
    let idle = millis(idle.unwrap_or_else(|| period.saturating_mul(PERIODS)));
    let place = Place {
        core: Arc::downgrade(core),
        key: call.key.text().into(),
    };
    let (origin, intent) = (origin.clone(), Intent::of(errand));
    let work = async move {
        let place = place;
        run(&place, intent, millis(period), idle, &origin).await;
    };
    // Dropped where there is no place for it: the next call tries again.
    core.workers.watch(work);
}

/// Nothing here keeps the cache alive while it waits.
async fn run<V, E>(place: &Place, intent: Intent, period: u64, idle: u64, origin: &Origin<V, E>)
where
    V: CacheValue,
    E: Send + 'static,
{
    let mut born = None;
    loop {
        let turn = {
            let Some(core) = place.core.upgrade() else {
                return;
            };
            turn(&core, &place.key, &intent, (period, idle), &mut born)
        };
        match turn {
            Turn::Over => return,
            Turn::Wait(pause) => tokio::time::sleep(pause).await,
            Turn::Refresh(errand) => match refresh::waited_for(*errand, origin.clone()).await {
                Refreshed::Done => born = None,
                // Timers that were started together do not go on ringing together.
                Refreshed::Needless => {
                    tokio::time::sleep(PAUSE.mul_f64(1.0 + fastrand::f64())).await;
                }
                Refreshed::Failed(pause) => tokio::time::sleep(pause).await,
            },
        }
    }
}

/// What a timer does next.
enum Turn {
    Over,
    Wait(Duration),
    Refresh(Box<Errand>),
}

/// `born`: when the value was born, as far as this timer knows; of one that it does not know, now.
fn turn(
    core: &Arc<Core>,
    key: &str,
    intent: &Intent,
    (period, idle): (u64, u64),
    born: &mut Option<u64>,
) -> Turn {
    let now = core.clock.now();
    let entry = core.memory.get(core.hash(key), key.as_bytes());
    let here = entry.as_ref().map_or(0, |entry| entry.term().born);
    let at = here.max(*born.get_or_insert(now));
    *born = Some(at);
    let left = at.saturating_add(period).saturating_sub(now);
    if left > 0 {
        return Turn::Wait(Duration::from_millis(left));
    }
    if core.timers.is_over(key, now, idle) {
        return Turn::Over;
    }
    if let Some(left) = core.failures.left(key, now) {
        // An eviction ends the pause.
        return Turn::Wait(left.min(Duration::from_millis(period)));
    }
    let Some(errand) = intent.errand() else {
        return Turn::Over;
    };
    // Others' clocks are read at other moments.
    let due = now.saturating_sub(period - period / 10);
    let in_hand = entry.and_then(|entry| in_hand(&entry, &errand.call().reader));
    Turn::Refresh(Box::new(errand.with(in_hand).newer_than(due)))
}
