//! The keys this task is loading.
//!
//! A load may call annotated functions, and one of them may ask for a key that is being loaded further up. It
//! would wait for itself; so the chain of keys travels with the load, and a key that is in it is
//! loaded straight through.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{entry::Erased, key::Key};

/// A key being loaded, and the load it was asked for in.
#[derive(Debug)]
pub(crate) struct Link {
    cache: usize,
    key: Key,
    outer: Option<Arc<Link>>,
    /// The value that the load is to replace.
    pub(super) known: Option<Old>,
    /// The load has said that it is still the one.
    not_modified: AtomicBool,
}

/// A value in hand, and its age in milliseconds.
#[derive(Clone, Debug)]
pub(super) struct Old {
    pub(super) value: Erased,
    pub(super) age: u64,
}

impl Link {
    pub(super) fn new(cache: usize, key: Key, known: Option<Old>) -> Arc<Self> {
        Arc::new(Self {
            cache,
            key,
            outer: current(),
            known,
            not_modified: AtomicBool::new(false),
        })
    }

    pub(super) fn say_not_modified(&self) {
        self.not_modified.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_not_modified(&self) -> bool {
        self.not_modified.load(Ordering::Relaxed)
    }
}

tokio::task_local! {
    static CHAIN: Arc<Link>;
}

/// The load that this task runs.
pub(super) fn current() -> Option<Arc<Link>> {
    CHAIN.try_with(Arc::clone).ok()
}

/// Whether this task is loading `key` of `cache`.
pub(crate) fn contains(cache: usize, key: &Key) -> bool {
    CHAIN
        .try_with(|chain| {
            let mut link = Some(chain);
            while let Some(at) = link {
                if at.cache == cache && at.key.text() == key.text() && at.key.full() == key.full() {
                    return true;
                }
                link = at.outer.as_ref();
            }
            false
        })
        .unwrap_or(false)
}

/// Runs a body that the cache takes no part in: what an outer load knows is not about its key.
pub(crate) fn without_known<F: Future>(load: F) -> impl Future<Output = F::Output> {
    // No cache has this number.
    CHAIN.scope(Link::new(usize::MAX, Key::new(""), None), load)
}

/// Runs a load with its key added to the chain.
pub(super) fn with<F: Future>(link: Arc<Link>, load: F) -> impl Future<Output = F::Output> {
    CHAIN.scope(link, load)
}
