//! Leases to give back from where nothing can be awaited.
//!
//! A load's future can be dropped anywhere, and `Drop` cannot await. The release is queued for the
//! supervisor, which sends it when it can. The queue is bounded and never blocks: a lease that is not
//! given back expires by itself, which costs its waiters that long and nothing else.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::Connection;
use crate::entry::Token;
use crate::tiers::redis::fault::{Remedy, judge};
use crate::tiers::redis::scripts;

const CAPACITY: usize = 4096;
/// Leases of several keys go in one script: right for one server, which all of them are on. A cluster
/// has to split a batch by slot.
const BATCH: usize = 64;

#[derive(Debug)]
struct Queued {
    lease: String,
    token: Token,
}

/// The queue.
#[derive(Debug, Default)]
pub(super) struct Releases {
    queue: Mutex<VecDeque<Queued>>,
    news: Notify,
    /// Held while a batch is under way, so that a batch is taken off the queue once.
    turn: tokio::sync::Mutex<()>,
}

impl Releases {
    pub(super) fn push(&self, lease: String, token: Token) {
        let mut queue = self.lock();
        if queue.len() < CAPACITY {
            queue.push_back(Queued { lease, token });
            drop(queue);
            self.news.notify_one();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    pub(super) async fn news(&self) {
        if self.is_empty() {
            self.news.notified().await;
        }
    }

    /// Sends until the queue is empty. What was not answered stays in the queue; what the server
    /// refused would be refused again and is left to expire.
    pub(super) async fn send_all(&self, mut connection: Connection) -> redis::RedisResult<()> {
        loop {
            let _turn = self.turn.lock().await;
            let batch: Vec<(String, Token)> = self
                .lock()
                .iter()
                .take(BATCH)
                .map(|queued| (queued.lease.clone(), queued.token))
                .collect();
            if batch.is_empty() {
                return Ok(());
            }
            let leases: Vec<&str> = batch.iter().map(|(lease, _)| lease.as_str()).collect();
            let tokens: Vec<&[u8]> = batch
                .iter()
                .map(|(_, token)| &token.as_bytes()[..])
                .collect();
            match scripts::RELEASE
                .run(&mut connection, &leases, &tokens)
                .await
            {
                Err(error) if judge(&error).1 == Remedy::Reconnect => return Err(error),
                _ => drop(self.lock().drain(..batch.len())),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Queued>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
