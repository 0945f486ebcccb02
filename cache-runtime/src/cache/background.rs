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

use crate::{engine::Core, entry::Envelope};

const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_LAST: Duration = Duration::from_secs(2);

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
        self.dead().insert(region.into(), core.tier.now());
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

/// One sweep at a time. What cannot be freed now expires by itself.
async fn free(core: &Core) {
    let next = core.background.dead().pop_first();
    let Some((region, died)) = next else { return };
    // Born before its region died it carries a generation from before. A clock that errs frees an entry too many, or too few.
    let dead =
        |_: &str, bytes: &Bytes| Envelope::marks(bytes).is_some_and(|marks| marks.birth < died);
    let within = core.settings.evict_deadline;
    if let Err(error) = core.tier.reclaim(&region, &dead, within).await {
        tracing::debug!(%error, "dead entries stay in Redis until they expire");
    }
}

async fn work(core: Weak<Core>, bell: Arc<Notify>) {
    let mut pause = RETRY_FIRST;
    loop {
        let Some(strong) = core.upgrade() else { return };
        let done = strong.replay_all().await.is_ok();
        if done {
            free(&strong).await;
        }
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
