//! The keys this task is loading.
//!
//! A load may call annotated functions, and one of them may ask for a key that is being loaded further up. It
//! would wait for itself; so the chain of keys travels with the load, and a key that is in it is
//! loaded straight through.

use std::{future::Future, sync::Arc};

use crate::key::Key;

/// A key being loaded, and the load it was asked for in.
#[derive(Debug)]
pub(crate) struct Link {
    cache: usize,
    key: Key,
    outer: Option<Arc<Link>>,
}

tokio::task_local! {
    static CHAIN: Arc<Link>;
}

fn current() -> Option<Arc<Link>> {
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

/// Runs a load with its key added to the chain.
pub(crate) fn with<F: Future>(cache: usize, key: Key, load: F) -> impl Future<Output = F::Output> {
    let link = Arc::new(Link {
        cache,
        key,
        outer: current(),
    });
    CHAIN.scope(link, load)
}
