//! Hooks run here: away from the calls they are told of, one after the other.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::observe::{Event, Hook};

/// So many calls wait to be told; what comes beyond is dropped, and counted.
const MOST: usize = 1_024;
/// After so many hooks others get their turn on this thread.
const AT_ONCE: usize = 64;

/// Calls that hooks are to be told of.
#[derive(Debug, Default)]
pub(super) struct News {
    waiting: Mutex<Waiting>,
    over: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    calls: VecDeque<(Hook, Event)>,
    /// One of them is being told.
    telling: bool,
}

impl News {
    pub(super) fn add(&self, hook: Hook, event: Event) -> bool {
        let calls = &mut self.lock().calls;
        let fits = calls.len() < MOST;
        if fits {
            calls.push_back((hook, event));
        }
        fits
    }

    pub(super) fn is_empty(&self) -> bool {
        let waiting = self.lock();
        waiting.calls.is_empty() && !waiting.telling
    }

    /// Waits until there is nothing to tell, and nothing being told.
    pub(super) async fn none_left(&self) {
        loop {
            let mut over = std::pin::pin!(self.over.notified());
            over.as_mut().enable();
            if self.is_empty() {
                return;
            }
            over.await;
        }
    }

    fn next(&self) -> Option<(Hook, Event)> {
        let mut waiting = self.lock();
        let next = waiting.calls.pop_front();
        waiting.telling = next.is_some();
        if next.is_none() {
            self.over.notify_waiters();
        }
        next
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells hooks what there is to tell, for ever.
pub(super) async fn tell(news: Arc<News>, bell: Arc<Notify>) {
    loop {
        let mut told = 0;
        while let Some((hook, event)) = news.next() {
            if catch_unwind(AssertUnwindSafe(|| hook(&event))).is_err() {
                tracing::warn!(
                    site = &*event.site,
                    "a hook has panicked; it is told of the next call all the same"
                );
            }
            told += 1;
            if told % AT_ONCE == 0 {
                tokio::task::yield_now().await;
            }
        }
        bell.notified().await;
    }
}
