//! What waits to be written.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use bytes::Bytes;
use tokio::runtime::{Handle, Id};
use tokio::sync::oneshot;
use tokio::time::Instant;

/// So many may wait before it is looked who of them has left,
const SHED_AT: usize = 2048;
/// or so many bytes: a few large commands are as much as many small ones.
const SHED_BYTES_AT: usize = 16 << 20;

/// Commands that are sent together.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) packed: Vec<u8>,
    /// How many answers they have, together.
    pub(super) answers: usize,
    /// So long who asked waits, if he would like to be told when that is over.
    pub(super) until: Option<Instant>,
    pub(super) to: oneshot::Sender<Told>,
}

/// What who has asked is told.
pub(super) type Told = Result<Bytes, Untold>;

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Untold {
    /// It did not come in time.
    Late,
    Failed(redis::RedisError),
}

/// Who looks whether an answer comes in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watch {
    /// The watcher.
    Watcher,
    /// Who asked.
    Asker,
}

/// The queue between those who ask and the task that writes.
#[derive(Debug)]
pub(super) struct Outbox {
    state: Mutex<State>,
    /// Where the task runs.
    runtime: Option<Id>,
}

#[derive(Debug, Default)]
struct State {
    requests: Vec<Request>,
    /// The task that writes, while it has nothing to: the first request wakes it.
    asleep: Option<Waker>,
    closed: Option<redis::RedisError>,
    /// What their commands have.
    bytes: usize,
    /// How many were left when it was looked last, and how many bytes.
    stayed: (usize, usize),
    /// Then the watcher looks for those whose time is over.
    looks_at: Option<Instant>,
}

impl State {
    /// Those who stay are not looked at again before there are twice as many.
    fn is_full(&self) -> bool {
        let (requests, bytes) = self.stayed;
        self.requests.len() >= SHED_AT.max(2 * requests)
            || self.bytes >= SHED_BYTES_AT.max(2 * bytes)
    }

    /// Drops who has left.
    fn shed(&mut self) {
        self.requests.retain(|request| !request.to.is_closed());
        self.bytes = self.requests.iter().map(|it| it.packed.len()).sum();
        self.stayed = (self.requests.len(), self.bytes);
    }
}

impl Outbox {
    /// Of a task that runs where this is called.
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::default(),
            runtime: runtime(),
        }
    }

    /// Whether who calls this runs where the task does: a timer of one is then as good as a timer of the other.
    pub(super) fn is_at_home(&self) -> bool {
        self.runtime.is_some() && self.runtime == runtime()
    }

    /// Refused, with the reason, when the connection has ended.
    pub(super) fn push(&self, request: Request) -> redis::RedisResult<Watch> {
        let mut state = self.lock();
        if let Some(why) = &state.closed {
            return Err(why.clone());
        }
        if state.is_full() {
            state.shed();
        }
        let looks_by = |until| state.looks_at.is_some_and(|at| at <= until);
        let watch = match request.until {
            Some(until) if looks_by(until) => Watch::Watcher,
            _ => Watch::Asker,
        };
        state.bytes += request.packed.len();
        state.requests.push(request);
        let asleep = state.asleep.take();
        drop(state);
        if let Some(task) = asleep {
            task.wake();
        }
        Ok(watch)
    }

    /// The watcher looks now: tells those who waited until now, and is told when to look again, which it then must, with what it knows of others.
    pub(super) fn look(&self, now: Instant, others: Option<Instant>) -> Option<Instant> {
        let mut state = self.lock();
        let (mut late, mut next) = (Vec::new(), others);
        if state.requests.iter().any(|request| request.is_late(now)) {
            let all = std::mem::take(&mut state.requests);
            (late, state.requests) = all.into_iter().partition(|request| request.is_late(now));
            state.bytes = state.requests.iter().map(|it| it.packed.len()).sum();
        }
        for until in state.requests.iter().filter_map(|request| request.until) {
            next = Some(next.map_or(until, |next| next.min(until)));
        }
        state.looks_at = next;
        drop(state);
        for request in late {
            let _ = request.to.send(Err(Untold::Late));
        }
        next
    }

    /// Appends all that waits; if nothing does, the task is woken when something comes.
    pub(super) fn take(&self, into: &mut Vec<Request>, task: &Context<'_>) {
        let mut state = self.lock();
        state.bytes = 0;
        state.stayed = (0, 0);
        if state.requests.is_empty() {
            let known = state.asleep.as_ref();
            if !known.is_some_and(|known| known.will_wake(task.waker())) {
                state.asleep = Some(task.waker().clone());
            }
        } else if into.is_empty() {
            std::mem::swap(into, &mut state.requests);
        } else {
            into.append(&mut state.requests);
        }
    }

    /// Takes nothing more in; what was not taken is returned.
    pub(super) fn close(&self, why: redis::RedisError) -> Vec<Request> {
        let mut state = self.lock();
        state.closed.get_or_insert(why);
        state.asleep = None;
        std::mem::take(&mut state.requests)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().requests.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Request {
    pub(super) fn is_late(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

fn runtime() -> Option<Id> {
    Handle::try_current().ok().map(|handle| handle.id())
}

/// Why there is no answer when nobody says why.
pub(super) fn given_up() -> redis::RedisError {
    io::Error::new(
        io::ErrorKind::ConnectionAborted,
        "the connection was given up",
    )
    .into()
}
