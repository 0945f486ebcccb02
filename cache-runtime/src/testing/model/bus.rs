//! The model's bus: one queue per subscriber, delivered in order by a task of its own, and connections that break.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::{sync::Notify, task::AbortHandle};

use super::{Fate, ModelRedis, Step};
use crate::bus::{Listener, News};

const BEAT: Duration = Duration::from_secs(1);

/// One instance's subscription. Dropping it ends its task.
#[derive(Debug)]
pub(crate) struct Subscriber {
    process: usize,
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
    waiting: VecDeque<Sent>,
    subscribed: bool,
    severed: bool,
}

/// A message that was sent.
struct Sent {
    number: u64,
    news: Arc<News>,
    /// By this very instance.
    own: bool,
}

impl Sent {
    fn step(&self) -> Step {
        Step::Message {
            number: self.number,
            own: self.own,
        }
    }
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
    pub(super) fn send(&self, number: u64, news: &Arc<News>, own: bool) {
        let mut queue = self.queue();
        if queue.subscribed {
            let news = Arc::clone(news);
            queue.waiting.push_back(Sent { number, news, own });
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
    pub(super) fn of(process: usize) -> Self {
        Self {
            process,
            line: Arc::default(),
            task: Mutex::default(),
        }
    }

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
        let running = runtime.spawn(deliver(line, self.process, server.clone()));
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
async fn deliver(line: Weak<Line>, process: usize, server: ModelRedis) {
    loop {
        let network = server.network();
        let Some(line) = line.upgrade() else { return };
        let Some(listener) = line.listener() else {
            return;
        };
        if !network.has_bus() {
            return listener.unsupported("the model has no bus");
        }
        network.step(process, Step::Subscribe).await;
        let (incarnation, since) = (server.incarnation(), listener.moment());
        *line.queue() = Queue {
            subscribed: true,
            ..Queue::default()
        };
        network.step(process, Step::Acknowledge).await;
        listener.subscribed(since);
        let hearing = Hearing {
            line: &line,
            listener: &*listener,
            process,
            server: &server,
        };
        let why = hearing.until_lost(incarnation).await;
        *line.queue() = Queue::default();
        listener.lost(why);
        server.step(process, Step::Reconnect).await;
    }
}

/// A subscription that stands.
struct Hearing<'a> {
    line: &'a Line,
    listener: &'a dyn Listener,
    process: usize,
    server: &'a ModelRedis,
}

impl Hearing<'_> {
    /// Delivers until the connection breaks; why it did.
    async fn until_lost(&self, incarnation: u64) -> &'static str {
        let mut beats = tokio::time::interval_at(tokio::time::Instant::now() + BEAT, BEAT);
        loop {
            tokio::select! {
                biased;
                () = self.line.news.notified() => {
                    if let Some(why) = self.all().await {
                        return why;
                    }
                }
                _ = beats.tick() => {
                    let since = self.listener.moment();
                    // A beat comes after everything that was sent before it.
                    if let Some(why) = self.all().await {
                        return why;
                    }
                    if self.server.incarnation() != incarnation {
                        return "the server lost its data";
                    }
                    self.listener.beat(since);
                }
            }
        }
    }

    /// Everything that is there when it arrives.
    async fn all(&self) -> Option<&'static str> {
        let network = self.server.network();
        network.step(self.process, Step::Batch).await;
        loop {
            let step = {
                let queue = self.line.queue();
                if queue.severed {
                    return Some("the connection broke");
                }
                queue.waiting.front()?.step()
            };
            let fate = network.step(self.process, step).await;
            let sent = self.line.queue().waiting.pop_front();
            // Nothing is left of what was waiting where the connection broke meanwhile.
            let Some(sent) = sent.filter(|_| fate == Fate::Arrived) else {
                return Some("the connection broke");
            };
            self.listener.news(&sent.news, sent.own);
        }
    }
}
