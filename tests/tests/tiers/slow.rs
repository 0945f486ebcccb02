//! A tier around another, which takes its time, counts its calls, and can become another server as after a failover.

use std::future::ready;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_runtime::tier::{
    Acquire, Acquired, Bytes, Fut, Label, Labelled, Labels, LinkState, Listener, Manner, Pattern,
    Read, Remote, Removal, Removed, Standing, Store, Stored, Tier, TierError, Token,
};

/// Each way.
const DELAY: Duration = Duration::from_millis(1);

pub(crate) struct Slow {
    inner: Arc<dyn Tier>,
    calls: AtomicUsize,
    /// Removals are confirmed, and the next server does not know of them.
    fails_over: AtomicBool,
    on_move: Mutex<Option<Arc<dyn Fn() + Send + Sync>>>,
}

impl std::fmt::Debug for Slow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.fmt(f)
    }
}

impl Slow {
    pub(crate) fn over(inner: Arc<dyn Tier>) -> Self {
        Self {
            inner,
            calls: AtomicUsize::new(0),
            fails_over: AtomicBool::new(false),
            on_move: Mutex::default(),
        }
    }

    /// Calls so far.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// What is confirmed from now on is lost. With the next read it is another server, which answers that read already.
    pub(crate) fn fail_over(&self) {
        self.fails_over.store(true, Ordering::SeqCst);
    }

    fn slowly<'a, T: Send + 'a>(&self, call: Fut<'a, T>) -> Fut<'a, T> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            tokio::time::sleep(DELAY).await;
            let answer = call.await;
            tokio::time::sleep(DELAY).await;
            answer
        })
    }
}

type Answer<'a, T> = Fut<'a, Result<T, TierError>>;

impl Tier for Slow {
    fn read<'a>(&'a self, key: &'a str, labels: &'a [Label], within: Duration) -> Answer<'a, Read> {
        if self.fails_over.swap(false, Ordering::SeqCst) {
            let hook = crate::locked(&self.on_move).clone();
            hook.expect("the cache wants to know")();
        }
        self.slowly(self.inner.read(key, labels, within))
    }

    fn standings<'a>(&'a self, labels: &'a [Label], within: Duration) -> Answer<'a, Vec<Standing>> {
        self.slowly(self.inner.standings(labels, within))
    }

    fn labelled<'a>(&'a self, ask: Labels<'a>, within: Duration) -> Answer<'a, Labelled> {
        if ask.is_empty() {
            return Box::pin(ready(Ok(Labelled::default())));
        }
        self.slowly(self.inner.labelled(ask, within))
    }

    fn acquire<'a>(
        &'a self,
        key: &'a str,
        ask: Acquire,
        labels: Labels<'a>,
        within: Duration,
    ) -> Answer<'a, (Acquired, Labelled)> {
        self.slowly(self.inner.acquire(key, ask, labels, within))
    }

    fn store<'a>(&'a self, key: &'a str, entry: Store<'a>, within: Duration) -> Answer<'a, Stored> {
        self.slowly(self.inner.store(key, entry, within))
    }

    fn renew<'a>(
        &'a self,
        key: &'a str,
        token: Token,
        life: Duration,
        within: Duration,
    ) -> Answer<'a, bool> {
        self.slowly(self.inner.renew(key, token, life, within))
    }

    fn fail<'a>(
        &'a self,
        key: &'a str,
        token: Token,
        pause: Duration,
        within: Duration,
    ) -> Answer<'a, bool> {
        self.slowly(self.inner.fail(key, token, pause, within))
    }

    fn release_later(&self, key: &str, token: Token) {
        self.inner.release_later(key, token);
    }

    fn remove<'a>(&'a self, what: Removal<'a>, within: Duration) -> Answer<'a, Removed> {
        if self.fails_over.load(Ordering::SeqCst) {
            return Box::pin(ready(Ok(Removed::default())));
        }
        self.slowly(self.inner.remove(what, within))
    }

    fn sweep<'a>(
        &'a self,
        pattern: &'a Pattern,
        manner: Manner,
        batch_within: Duration,
    ) -> Answer<'a, u64> {
        self.slowly(self.inner.sweep(pattern, manner, batch_within))
    }

    fn reclaim<'a>(
        &'a self,
        region: &'a str,
        dead: &'a (dyn Fn(&str, &Bytes) -> bool + Sync),
        batch_within: Duration,
    ) -> Answer<'a, u64> {
        self.slowly(self.inner.reclaim(region, dead, batch_within))
    }

    fn inspect<'a>(&'a self, key: &'a str, within: Duration) -> Answer<'a, Remote> {
        self.slowly(self.inner.inspect(key, within))
    }

    fn listen(&self, listener: Arc<dyn Listener>) {
        self.inner.listen(listener);
    }

    fn wake(&self) {
        self.inner.wake();
    }

    fn connection(&self) -> u64 {
        self.inner.connection()
    }

    fn now(&self) -> u64 {
        self.inner.now()
    }

    fn state(&self) -> LinkState {
        self.inner.state()
    }

    fn connected_within<'a>(&'a self, within: Duration) -> Fut<'a, bool> {
        self.inner.connected_within(within)
    }

    fn close<'a>(&'a self, within: Duration) -> Fut<'a, usize> {
        self.inner.close(within)
    }

    fn on_reconnect(&self, hook: Arc<dyn Fn() + Send + Sync>) {
        self.inner.on_reconnect(hook);
    }

    fn on_move(&self, hook: Arc<dyn Fn() + Send + Sync>) -> bool {
        *crate::locked(&self.on_move) = Some(hook);
        true
    }
}
