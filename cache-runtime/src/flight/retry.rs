//! Waiters that have to see for themselves: a few at a time per key.
//!
//! When a load fails with an error that cannot be shared, each of its waiters runs the origin once. An
//! origin that has just failed is not helped by hundreds of calls at once, so at most
//! [`AT_ONCE`] of them run per process and key.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

const AT_ONCE: usize = 4;

/// The queues of the keys whose last load failed.
#[derive(Debug, Default)]
pub(crate) struct Retries(Mutex<HashMap<Box<str>, Queue>>);

#[derive(Debug)]
struct Queue {
    turns: Arc<Semaphore>,
    users: usize,
}

/// The right to run the origin; the queue goes when its last user goes.
#[derive(Debug)]
pub(crate) struct RetryPermit {
    _permit: OwnedSemaphorePermit,
    _place: Place,
}

impl Retries {
    /// Waits for a turn; `None` when `deadline` came first.
    pub(crate) async fn turn(
        self: &Arc<Self>,
        key: &str,
        deadline: Instant,
    ) -> Option<RetryPermit> {
        let (place, turns) = self.join(key);
        let turn = tokio::time::timeout_at(deadline, turns.acquire_owned()).await;
        let permit = turn.ok()?.expect("the queue's semaphore is never closed");
        Some(RetryPermit {
            _permit: permit,
            _place: place,
        })
    }

    fn join(self: &Arc<Self>, key: &str) -> (Place, Arc<Semaphore>) {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = queues.entry(key.into()).or_insert_with(|| Queue {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            users: 0,
        });
        queue.users += 1;
        let place = Place {
            retries: Arc::clone(self),
            key: key.into(),
        };
        (place, Arc::clone(&queue.turns))
    }

    /// How many keys have a queue.
    #[cfg(feature = "test-util")]
    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// Counts a user of a queue.
#[derive(Debug)]
struct Place {
    retries: Arc<Retries>,
    key: Box<str>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut queues = self
            .retries
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queues.get_mut(&self.key) {
            queue.users -= 1;
            if queue.users == 0 {
                queues.remove(&self.key);
            }
        }
    }
}
