//! The one background task of the engine: it replays the journal, and frees the memory of what is dead in Redis.
//!
//! It belongs to the cache (which ends it), runs on the runtime of the first call that needed it, and is started
//! again when that runtime is gone. From a `Drop` it is only woken.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use tokio::{runtime::Handle, sync::Notify, task::JoinHandle};

use crate::{
    engine::{Core, LEASE},
    entry::{Envelope, Token},
    tiers::{Acquire, Acquired, Labels, LeaseKind},
};

const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_LAST: Duration = Duration::from_secs(2);
/// More regions than anybody names; what is evicted beyond them expires by itself.
const MOST_REGIONS: usize = 64;
/// Whoever has its lease sweeps. No logical key looks like this.
const SWEEP: &str = "#sweep";

/// The task and its bell.
#[derive(Debug, Default)]
pub(crate) struct Background {
    /// Regions whose dead entries are to be freed, and the server's time when they died.
    dead: Mutex<BTreeMap<Box<str>, u64>>,
    bell: Arc<Notify>,
    worker: Mutex<Option<JoinHandle<()>>>,
}

impl Background {
    /// There is something to replay, or Redis is back.
    pub(crate) fn nudge(&self, core: &Arc<Core>) {
        self.bell.notify_one();
        if core.closed.load(Ordering::Acquire) {
            return;
        }
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let mut worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        if worker.as_ref().is_none_or(JoinHandle::is_finished) {
            *worker = Some(runtime.spawn(work(Arc::downgrade(core), Arc::clone(&self.bell))));
        }
    }

    /// The entries below a region died just now.
    pub(crate) fn reclaim(&self, core: &Arc<Core>, region: &str) {
        let mut dead = self.dead();
        if dead.len() < MOST_REGIONS || dead.contains_key(region) {
            dead.insert(region.into(), core.tier.now());
        }
        drop(dead);
        self.nudge(core);
    }

    fn dead(&self) -> MutexGuard<'_, BTreeMap<Box<str>, u64>> {
        self.dead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn stop(&self) {
        if let Some(worker) = self
            .worker
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        {
            worker.abort();
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Frees what is dead below one region, if no process of the fleet sweeps at the moment; whether it was this one's turn. What cannot
/// be freed expires by itself.
async fn free(core: &Core) -> bool {
    if core.background.dead().is_empty() {
        return true;
    }
    let within = core.settings.evict_deadline;
    let (token, labels) = (Token::random(), Labels::default());
    let ask = Acquire {
        token,
        seen: None,
        ignore_value: true,
        lease: LEASE,
        kind: LeaseKind::Load,
        waits: false,
    };
    match core.tier.acquire(SWEEP, ask, labels, within).await {
        Ok((Acquired::Held { .. }, _)) => return false,
        Ok((Acquired::Lead, _)) => {
            tokio::select! {
                () = reclaim(core, within) => {}
                () = keep(core, token, within) => {}
            }
        }
        // Nothing can be freed now.
        _ => core.background.dead().clear(),
    }
    core.tier.release_later(SWEEP, token);
    true
}

/// Keeps the turn for as long as the sweep lasts.
async fn keep(core: &Core, token: Token, within: Duration) {
    loop {
        tokio::time::sleep(LEASE / 3).await;
        // Lost, another may sweep as well: that is slower, and not wrong.
        let _ = core.tier.renew(SWEEP, token, LEASE, within).await;
    }
}

async fn reclaim(core: &Core, within: Duration) {
    let next = core.background.dead().pop_first();
    let Some((region, died)) = next else { return };
    // Born before its region died it carries a generation from before. A clock that errs frees an entry too many, or too few.
    let dead =
        |_: &str, bytes: &Bytes| Envelope::marks(bytes).is_some_and(|marks| marks.birth < died);
    if let Err(error) = core.tier.reclaim(&region, &dead, within).await {
        tracing::debug!(%error, "dead entries stay in Redis until they expire");
    }
}

async fn work(core: Weak<Core>, bell: Arc<Notify>) {
    let mut pause = RETRY_FIRST;
    loop {
        let Some(strong) = core.upgrade() else { return };
        let done = strong.replay_all().await.is_ok() && free(&strong).await;
        let empty = strong.journal.len() == 0 && strong.background.dead().is_empty();
        drop(strong);
        if done && empty {
            pause = RETRY_FIRST;
            bell.notified().await;
        } else if !done {
            let jittered = pause.mul_f64(0.5 + 0.5 * fastrand::f64());
            pause = (pause * 2).min(RETRY_LAST);
            tokio::select! {
                biased;
                () = tokio::time::sleep(jittered) => {}
                () = bell.notified() => tokio::time::sleep(RETRY_FIRST).await,
            }
        }
    }
}
