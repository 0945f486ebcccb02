//! The model's bus: one queue per subscriber, delivered in order by a task of its own, and connections that break.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::{sync::Notify, task::AbortHandle, time::sleep};

use super::ModelRedis;
use crate::bus::{Listener, News};

const BEAT: Duration = Duration::from_secs(1);

/// One instance's subscription. Dropping it ends its task.
#[derive(Debug, Default)]
pub(crate) struct Subscriber {
    line: Arc<Line>,
    task: Mutex<Option<AbortHandle>>,
}

/// What the server and the subscriber's task share.
#[derive(Default)]
pub(super) struct Line {
    queue: Mutex<Queue>,
    news: Notify,
    listener: Mutex<Option<Arc<dyn Listener>>>,
}

#[derive(Default)]
struct Queue {
    /// Messages that were sent; whether by this very instance.
    waiting: VecDeque<(Arc<News>, bool)>,
    subscribed: bool,
    severed: bool,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Line")
    }
}

impl Line {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message for this subscriber, if it is one.
    pub(super) fn send(&self, news: &Arc<News>, own: bool) {
        let mut queue = self.queue();
        if queue.subscribed {
            queue.waiting.push_back((Arc::clone(news), own));
            self.news.notify_one();
        }
    }

    /// The connection breaks: what was not delivered never will be.
    pub(super) fn sever(&self) {
        let mut queue = self.queue();
        if queue.subscribed {
            *queue = Queue {
                severed: true,
                ..Queue::default()
            };
            self.news.notify_one();
        }
    }

    fn listener(&self) -> Option<Arc<dyn Listener>> {
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        listener.clone()
    }
}

impl Subscriber {
    pub(super) fn listen(&self, listener: Arc<dyn Listener>) {
        *self
            .line
            .listener
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }

    pub(super) fn line(&self) -> Weak<Line> {
        Arc::downgrade(&self.line)
    }

    /// Subscribes, if it has not, and there is a runtime to do it on.
    pub(super) fn wake(&self, server: &ModelRedis) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if task.as_ref().is_some_and(|task| !task.is_finished()) || self.line.listener().is_none() {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        server.add_line(&self.line);
        let line = Arc::downgrade(&self.line);
        let running = runtime.spawn(deliver(line, server.clone()));
        *task = Some(running.abort_handle());
    }

    pub(super) fn close(&self) {
        let task = self
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        task.inspect(AbortHandle::abort);
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.close();
    }
}

/// Subscribes again and again.
async fn deliver(line: Weak<Line>, server: ModelRedis) {
    loop {
        let faults = server.faults();
        let delay = || faults.delay.mul_f64(fastrand::f64());
        let Some(line) = line.upgrade() else { return };
        let Some(listener) = line.listener() else {
            return;
        };
        if faults.no_bus {
            return listener.unsupported("the model has no bus");
        }
        sleep(delay()).await;
        let (incarnation, since) = (server.incarnation(), listener.moment());
        *line.queue() = Queue {
            subscribed: true,
            ..Queue::default()
        };
        sleep(delay()).await;
        listener.subscribed(since);
        let why = hear(&line, &*listener, &server, incarnation).await;
        *line.queue() = Queue::default();
        listener.lost(why);
        sleep(server.faults().outage.mul_f64(fastrand::f64())).await;
    }
}

/// Delivers until the connection breaks; why it did.
async fn hear(
    line: &Line,
    listener: &dyn Listener,
    server: &ModelRedis,
    incarnation: u64,
) -> &'static str {
    let mut beats = tokio::time::interval_at(tokio::time::Instant::now() + BEAT, BEAT);
    loop {
        tokio::select! {
            biased;
            () = line.news.notified() => {
                if let Some(why) = hear_all(line, listener, server).await {
                    return why;
                }
            }
            _ = beats.tick() => {
                let since = listener.moment();
                // A beat comes after everything that was sent before it.
                if let Some(why) = hear_all(line, listener, server).await {
                    return why;
                }
                if server.incarnation() != incarnation {
                    return "the server lost its data";
                }
                listener.beat(since);
            }
        }
    }
}

/// Everything that is there when it arrives.
async fn hear_all(
    line: &Line,
    listener: &dyn Listener,
    server: &ModelRedis,
) -> Option<&'static str> {
    let faults = server.faults();
    sleep(faults.delay.mul_f64(fastrand::f64())).await;
    loop {
        if line.queue().severed {
            return Some("the connection broke");
        }
        let (news, own) = line.queue().waiting.pop_front()?;
        if fastrand::f64() < faults.severed {
            return Some("the connection broke");
        }
        listener.news(&news, own);
    }
}
