//! What runs in the background of a cache: bounded, one refresh per key, and over when the cache is closed.
//!
//! Every task has a seat here, which it leaves however it ends: done, panicked, aborted, or dropped with its runtime. Refreshes are begun here;
//! loads that their callers no longer wait for are taken over; watches wait for a moment, and are no work that anybody waits for.

use std::{
    collections::{HashMap, HashSet},
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::Notify,
    task::AbortHandle,
    time::{Instant, timeout, timeout_at},
};

/// So many refreshes and comparisons run at once.
const MOST_BEGUN: usize = 256;
/// So many loads go on that nobody waits for. What comes beyond is dropped, and its lease given back.
const MOST_ADOPTED: usize = 1_024;
/// So many hits are compared with the origin at once.
const MOST_CHECKS: usize = 64;
/// So many watches stand at once.
const MOST_WATCHES: usize = 10_000;
/// No load is stored after thirty seconds, so none goes on for longer when nobody waits for it; a refresh may have waited for another before.
const LONGEST: Duration = Duration::from_secs(45);

/// The tasks of a cache.
#[derive(Debug, Default)]
pub(crate) struct Workers(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    tasks: Mutex<Tasks>,
    left: Notify,
}

#[derive(Debug, Default)]
struct Tasks {
    closed: bool,
    next: u64,
    running: HashMap<u64, Running>,
    /// What is refreshed or compared now.
    keys: HashSet<(Kind, Box<str>)>,
    count: [usize; 4],
}

#[derive(Debug)]
struct Running {
    kind: Kind,
    task: Option<AbortHandle>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Begun,
    Adopted,
    Check,
    Watch,
}

impl Kind {
    const fn most(self) -> usize {
        match self {
            Self::Begun => MOST_BEGUN,
            Self::Adopted => MOST_ADOPTED,
            Self::Check => MOST_CHECKS,
            Self::Watch => MOST_WATCHES,
        }
    }

    /// Whether somebody may miss it: when the cache is closed, the others end at once.
    const fn is_work(self) -> bool {
        matches!(self, Self::Begun | Self::Adopted)
    }
}

/// The place of one task; dropping it leaves.
struct Seat {
    shared: Arc<Shared>,
    number: u64,
    kind: Kind,
    key: Option<(Kind, Box<str>)>,
}

/// Whether work has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    Begun,
    /// The same of the key runs.
    Runs,
    /// Too much runs, the cache is closed, or there is no runtime.
    NoPlace,
}

impl Workers {
    /// Begins a refresh of a key; false if there is no place for it. If one of the key runs, `work` is dropped, which is as good.
    pub(crate) fn refresh(
        &self,
        key: &str,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> bool {
        self.start(Kind::Begun, Some(key), work) != Start::NoPlace
    }

    /// Compares a hit of a key with the origin, if there is a place for it and none of the key runs.
    pub(crate) fn check(&self, key: &str, work: impl Future<Output = ()> + Send + 'static) {
        self.start(Kind::Check, Some(key), work);
    }

    /// Goes on with a load that nobody waits for.
    pub(crate) fn adopt(&self, work: impl Future<Output = ()> + Send + 'static) {
        if self.start(Kind::Adopted, None, work) == Start::NoPlace {
            tracing::warn!(
                "a load that nobody waits for was dropped: too many go on, or the cache is closed"
            );
        }
    }

    /// Waits for moments, until the cache is closed; false if too many do.
    pub(crate) fn watch(&self, work: impl Future<Output = ()> + Send + 'static) -> bool {
        self.start(Kind::Watch, None, work) == Start::Begun
    }

    /// Whether nothing is begun any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.lock().closed
    }

    fn start(
        &self,
        kind: Kind,
        key: Option<&str>,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Start {
        let Ok(runtime) = Handle::try_current() else {
            return Start::NoPlace;
        };
        let seat = match self.seat(kind, key) {
            Ok(seat) => seat,
            Err(why) => return why,
        };
        let number = seat.number;
        let task = runtime.spawn(async move {
            let _seat = seat;
            match kind {
                Kind::Watch => work.await,
                _ => drop(timeout(LONGEST, work).await),
            }
        });
        // It may be over already.
        let mut tasks = self.0.lock();
        let closed = tasks.closed;
        if let Some(running) = tasks.running.get_mut(&number) {
            running.task = Some(task.abort_handle());
        }
        drop(tasks);
        if closed {
            task.abort();
        }
        Start::Begun
    }

    fn seat(&self, kind: Kind, key: Option<&str>) -> Result<Seat, Start> {
        let key = key.map(|key| (kind, Box::from(key)));
        let mut tasks = self.0.lock();
        if key.as_ref().is_some_and(|key| tasks.keys.contains(key)) {
            return Err(Start::Runs);
        }
        if tasks.closed || tasks.count[kind as usize] >= kind.most() {
            return Err(Start::NoPlace);
        }
        tasks.keys.extend(key.clone());
        let number = tasks.next;
        tasks.next += 1;
        tasks.count[kind as usize] += 1;
        tasks.running.insert(number, Running { kind, task: None });
        Ok(Seat {
            shared: Arc::clone(&self.0),
            number,
            kind,
            key,
        })
    }

    /// Begins nothing more, ends watches and comparisons and waits for the rest until `deadline`; cuts off what is left then and tells how much that was.
    pub(crate) async fn drain(&self, deadline: Instant) -> usize {
        self.0.lock().closed = true;
        self.abort(|kind| !kind.is_work());
        let _ = timeout_at(deadline, self.none_left()).await;
        let cut_off = self.len();
        self.abort(|_| true);
        cut_off
    }

    async fn none_left(&self) {
        loop {
            let mut left = std::pin::pin!(self.0.left.notified());
            left.as_mut().enable();
            if self.len() == 0 {
                return;
            }
            left.await;
        }
    }

    fn abort(&self, chosen: impl Fn(Kind) -> bool) {
        // Not under the lock: what an aborted task drops here leaves its seat.
        let tasks: Vec<_> = self
            .0
            .lock()
            .running
            .values()
            .filter(|running| chosen(running.kind))
            .filter_map(|running| running.task.clone())
            .collect();
        tasks.iter().for_each(AbortHandle::abort);
    }

    /// How many tasks there are that somebody may miss.
    pub(crate) fn len(&self) -> usize {
        let tasks = self.0.lock();
        let work = tasks.running.values().filter(|it| it.kind.is_work());
        work.count()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The cache is gone: what waits for moments ends, and what runs for it.
impl Drop for Workers {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.abort(|_| true);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut tasks = self.shared.lock();
        tasks.running.remove(&self.number);
        tasks.count[self.kind as usize] -= 1;
        if let Some(key) = &self.key {
            tasks.keys.remove(key);
        }
        drop(tasks);
        self.shared.left.notify_waiters();
    }
}
