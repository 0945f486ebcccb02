//! The stores of one check, and processes on them.

use std::{
    fmt,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use super::{ear::Listening, process::Process};
use crate::tiers::Tier;

/// The cache of most checks.
pub(super) const SHOP: &str = "shop";
/// For what a healthy store does at some time.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Makes an instance for a cache of this name.
type Open = dyn Fn(&str) -> Arc<dyn Tier> + Send + Sync;

/// Makes instances, all on one store.
#[derive(Clone)]
pub(super) struct Stores(Arc<Open>);

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stores")
    }
}

impl Stores {
    pub(super) fn new(open: impl Fn(&str) -> Arc<dyn Tier> + Send + Sync + 'static) -> Self {
        Self(Arc::new(open))
    }

    /// One more instance of the cache of this name.
    pub(super) fn tier(&self, cache: &str) -> Arc<dyn Tier> {
        (self.0)(cache)
    }

    /// One more process with the cache `shop`.
    pub(super) fn process(&self) -> Process {
        self.process_of(SHOP)
    }

    /// One more process with the cache of this name.
    pub(super) fn process_of(&self, cache: &str) -> Process {
        Process::new(self.tier(cache))
    }

    /// One more process, which hears of the others; `None` where the store can tell nothing.
    pub(super) async fn listening(&self) -> Option<Listening> {
        self.listening_to(SHOP).await
    }

    /// The same with the cache of this name.
    pub(super) async fn listening_to(&self, cache: &str) -> Option<Listening> {
        Listening::begin(self.tier(cache)).await
    }

    /// Runs something on a thread of its own, as another process would, and waits for it without awaiting.
    ///
    /// For where nothing can be awaited. `held_up` says what is wrong if it does not come to an end.
    pub(super) fn elsewhere<F>(&self, held_up: &str, work: impl FnOnce(Self) -> F + Send + 'static)
    where
        F: Future<Output = ()>,
    {
        let (stores, (done, ended)) = (self.clone(), mpsc::channel());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime for one more thread");
            runtime.block_on(work(stores));
            // Nobody waits any more: the check has failed.
            let _ = done.send(());
        });
        let ended = ended.recv_timeout(PATIENCE);
        assert!(ended.is_ok(), "{held_up}");
    }
}

/// Asks until it is so.
pub(super) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < PATIENCE, "it never came true that {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// It has ended, and did not end too early.
pub(super) fn lasted(what: &str, began: Instant, life: Duration) {
    // What may be lost by whole milliseconds and two clocks.
    const ROUNDED: Duration = Duration::from_millis(50);
    let lasted = began.elapsed();
    assert!(
        lasted + ROUNDED >= life,
        "{what} ended after {lasted:?}, not {life:?}"
    );
}
