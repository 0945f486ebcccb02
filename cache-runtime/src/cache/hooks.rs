//! Hooks run here: away from the calls they are told of, one after the other.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use crate::observe::{Event, Hook};

/// So many calls wait to be told; what comes beyond is dropped, and counted.
const MOST: usize = 1_024;
/// After so many hooks others get their turn on this thread.
const AT_ONCE: usize = 64;

/// Calls that hooks are to be told of.
#[derive(Debug, Default)]
pub(super) struct News(Mutex<VecDeque<(Hook, Event)>>);

impl News {
    pub(super) fn add(&self, hook: Hook, event: Event) -> bool {
        let mut waiting = self.lock();
        let fits = waiting.len() < MOST;
        if fits {
            waiting.push_back((hook, event));
        }
        fits
    }

    /// Waits until there is nothing to tell.
    pub(super) async fn none_left(&self) {
        while !self.lock().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn next(&self) -> Option<(Hook, Event)> {
        self.lock().pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Hook, Event)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
