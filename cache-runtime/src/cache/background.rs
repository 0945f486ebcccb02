//! The one background task of the engine: it replays the journal.
//!
//! It belongs to the cache (which ends it), runs on the runtime of the first call that needed it, and is started
//! again when that runtime is gone. From a `Drop` it is only woken.

use std::{
    sync::{Arc, Mutex, PoisonError, Weak, atomic::Ordering},
    time::Duration,
};

use tokio::{runtime::Handle, sync::Notify, task::JoinHandle};

use crate::engine::Core;

const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_LAST: Duration = Duration::from_secs(2);

/// The task and its bell.
#[derive(Debug, Default)]
pub(crate) struct Background {
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

async fn work(core: Weak<Core>, bell: Arc<Notify>) {
    let mut pause = RETRY_FIRST;
    loop {
        let Some(strong) = core.upgrade() else { return };
        let done = strong.replay_all().await.is_ok();
        let empty = strong.journal.len() == 0;
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
