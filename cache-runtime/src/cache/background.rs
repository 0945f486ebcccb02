//! The background tasks of the engine: one replays the journal, one frees the memory of what is dead in Redis, one runs hooks; one that
//! looks for what is set up wrongly, and where that was asked for one that publishes figures.
//!
//! They belong to the cache (which ends them), run on the runtime of the first call that needed them, and are started again when that
//! runtime is gone. From a `Drop` they are only woken.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::{runtime::Handle, sync::Notify, task::JoinHandle};

use super::{
    hooks::{News, tell},
    sweeper::{Dead, sweep},
};
use crate::{
    engine::Core,
    observe::{Event, Hook},
};

const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_LAST: Duration = Duration::from_secs(2);

/// The tasks and their bells.
#[derive(Debug, Default)]
pub(crate) struct Background {
    replay: Worker,
    sweep: Worker,
    dead: Arc<Dead>,
    tell: Worker,
    news: Arc<News>,
    #[cfg(feature = "metrics")]
    publish: Worker,
    report: Worker,
}

/// One task.
#[derive(Debug, Default)]
struct Worker {
    bell: Arc<Notify>,
    task: Mutex<Task>,
}

#[derive(Debug, Default)]
enum Task {
    /// It was not needed yet.
    #[default]
    None,
    Started(JoinHandle<()>),
    /// It is not to start any more.
    Ended,
}

impl Worker {
    /// Rings, and sees that somebody hears it.
    fn nudge<F>(&self, work: impl FnOnce(Arc<Notify>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.bell.notify_one();
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let mut task = self.task();
        let runs = match &*task {
            Task::None => false,
            Task::Started(task) => !task.is_finished(),
            Task::Ended => true,
        };
        if !runs {
            *task = Task::Started(runtime.spawn(work(Arc::clone(&self.bell))));
        }
    }

    /// Starts it anew.
    fn replace(&self, work: impl Future<Output = ()> + Send + 'static) -> bool {
        let Ok(runtime) = Handle::try_current() else {
            return false;
        };
        let mut task = self.task();
        match &*task {
            Task::Ended => return false,
            Task::Started(former) => former.abort(),
            Task::None => {}
        }
        *task = Task::Started(runtime.spawn(work));
        true
    }

    fn is_over(&self) -> bool {
        matches!(*self.task(), Task::Ended)
    }

    fn stop(&self) {
        if let Task::Started(task) = std::mem::replace(&mut *self.task(), Task::Ended) {
            task.abort();
        }
    }

    fn task(&self) -> MutexGuard<'_, Task> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Background {
    /// There is something to replay, or Redis is back.
    pub(crate) fn nudge(&self, core: &Arc<Core>) {
        self.replay.nudge(|bell| replay(Arc::downgrade(core), bell));
    }

    /// The entries below a region died just now.
    pub(crate) fn reclaim(&self, core: &Arc<Core>, region: &str) {
        if !core.tier.is_present() {
            return;
        }
        self.dead.add(region, core.tier.now());
        let (tier, dead) = (Arc::clone(&core.tier), Arc::clone(&self.dead));
        let within = core.settings.evict_deadline;
        self.sweep.nudge(|bell| sweep(tier, dead, within, bell));
    }

    /// Waits until hooks were told of everything.
    pub(crate) async fn told(&self) {
        if self.news.is_empty() {
            return;
        }
        // Whoever told them may be gone with its runtime.
        let news = Arc::clone(&self.news);
        self.tell.nudge(|bell| tell(news, bell));
        self.news.none_left().await;
    }

    /// Has a hook told of a call; false if too many wait to be told.
    pub(crate) fn tell(&self, hook: Hook, event: Event) -> bool {
        if self.tell.is_over() {
            return true;
        }
        let added = self.news.add(hook, event);
        let news = Arc::clone(&self.news);
        self.tell.nudge(|bell| tell(news, bell));
        added
    }

    /// Publishes figures from now on, in the place of who does it so far; false without a runtime, or if the cache is closed.
    #[cfg(feature = "metrics")]
    pub(super) fn publish(&self, work: impl Future<Output = ()> + Send + 'static) -> bool {
        self.publish.replace(work)
    }

    /// Whether somebody publishes figures.
    #[cfg(feature = "metrics")]
    pub(super) fn publishes(&self) -> bool {
        matches!(*self.publish.task(), Task::Started(_))
    }

    /// Has something found out for the log, in the place of what is being found out.
    pub(super) fn report(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.report.replace(work);
    }

    pub(crate) fn stop(&self) {
        #[cfg(feature = "metrics")]
        self.publish.stop();
        self.report.stop();
        self.replay.stop();
        self.sweep.stop();
        self.tell.stop();
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn replay(core: Weak<Core>, bell: Arc<Notify>) {
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
