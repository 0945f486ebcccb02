//! What waits to be written.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use bytes::Bytes;
use tokio::sync::oneshot;

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
    pub(super) to: oneshot::Sender<redis::RedisResult<Bytes>>,
}

/// The queue between those who ask and the task that writes.
#[derive(Debug, Default)]
pub(super) struct Outbox(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    requests: Vec<Request>,
    /// The task, while it has nothing to write: the first request wakes it.
    asleep: Option<Waker>,
    closed: Option<redis::RedisError>,
    /// What their commands have.
    bytes: usize,
    /// How many were left when it was looked last, and how many bytes.
    stayed: (usize, usize),
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
    /// Refused, with the reason, when the connection has ended.
    pub(super) fn push(&self, request: Request) -> redis::RedisResult<()> {
        let mut state = self.lock();
        if let Some(why) = &state.closed {
            return Err(why.clone());
        }
        if state.is_full() {
            state.shed();
        }
        state.bytes += request.packed.len();
        state.requests.push(request);
        let asleep = state.asleep.take();
        drop(state);
        if let Some(task) = asleep {
            task.wake();
        }
        Ok(())
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why there is no answer when nobody says why.
pub(super) fn given_up() -> redis::RedisError {
    io::Error::new(
        io::ErrorKind::ConnectionAborted,
        "the connection was given up",
    )
    .into()
}
