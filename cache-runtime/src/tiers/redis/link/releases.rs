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
use crate::tiers::redis::scripts::{self, Pipeline};

const CAPACITY: usize = 4096;
/// In one round trip, each in a script of its own: in a cluster they are of several slots.
const BATCH: usize = 64;

#[derive(Clone, Debug)]
struct Queued {
    lease: String,
    token: Token,
    /// What who waits for it is told.
    message: Vec<u8>,
}

/// The queue.
#[derive(Debug)]
pub(super) struct Releases {
    channel: String,
    queue: Mutex<VecDeque<Queued>>,
    news: Notify,
    /// Held while a batch is under way, so that a batch is taken off the queue once.
    turn: tokio::sync::Mutex<()>,
}

impl Releases {
    /// Who waits is told on this channel.
    pub(super) fn new(channel: String) -> Self {
        Self {
            channel,
            queue: Mutex::default(),
            news: Notify::new(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    pub(super) fn push(&self, lease: String, token: Token, message: Vec<u8>) {
        let mut queue = self.lock();
        if queue.len() < CAPACITY {
            queue.push_back(Queued {
                lease,
                token,
                message,
            });
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
            let batch: Vec<_> = self.lock().iter().take(BATCH).cloned().collect();
            if batch.is_empty() {
                return Ok(());
            }
            let steps = |pipeline: &mut Pipeline| {
                for it in &batch {
                    let args = [self.channel.as_bytes(), it.token.as_bytes(), &it.message];
                    pipeline.script(&scripts::RELEASE, &[&it.lease], &args);
                }
            };
            Pipeline::run(&mut connection, &steps).await?;
            self.lock().drain(..batch.len());
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Queued>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
