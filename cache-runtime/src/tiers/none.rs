//! The shared tier of a cache that has none: every question is answered as an empty store would.
//!
//! A load then leads at once and its store "succeeds", so the engine's one path serves memory-only
//! caches too.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;

use super::{
    Acquire, Acquired, Eviction, Fut, LinkState, Remote, SharedTier, Store, Stored, TierError,
};
use crate::entry::Token;
use crate::key::Pattern;

/// The null shared tier.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NoTier;

fn ready<'a, T: Send + 'a>(value: T) -> Fut<'a, T> {
    Box::pin(std::future::ready(value))
}

impl SharedTier for NoTier {
    fn is_present(&self) -> bool {
        false
    }

    fn get<'a>(&'a self, _: &'a str, _: Duration) -> Fut<'a, Result<Option<Bytes>, TierError>> {
        ready(Ok(None))
    }

    fn acquire<'a>(
        &'a self,
        _: &'a str,
        _: Acquire,
        _: Duration,
    ) -> Fut<'a, Result<Acquired, TierError>> {
        ready(Ok(Acquired::Lead))
    }

    fn store<'a>(
        &'a self,
        _: &'a str,
        _: Store<'a>,
        _: Duration,
    ) -> Fut<'a, Result<Stored, TierError>> {
        ready(Ok(Stored::Stored))
    }

    fn renew<'a>(
        &'a self,
        _: &'a str,
        _: Token,
        _: Duration,
        _: Duration,
    ) -> Fut<'a, Result<bool, TierError>> {
        ready(Ok(true))
    }

    fn release_later(&self, _: &str, _: Token) {}

    fn evict<'a>(&'a self, _: &'a [Eviction<'a>], _: Duration) -> Fut<'a, Result<(), TierError>> {
        ready(Ok(()))
    }

    fn sweep<'a>(&'a self, _: &'a Pattern, _: Duration) -> Fut<'a, Result<u64, TierError>> {
        ready(Ok(0))
    }

    fn inspect<'a>(&'a self, _: &'a str, _: Duration) -> Fut<'a, Result<Remote, TierError>> {
        ready(Ok(Remote::default()))
    }

    fn now(&self) -> u64 {
        static START: LazyLock<(Instant, Duration)> = LazyLock::new(|| {
            let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            (Instant::now(), wall.unwrap_or_default())
        });
        let (at, wall) = *START;
        u64::try_from((wall + at.elapsed()).as_millis()).unwrap_or(u64::MAX)
    }

    fn foreign_types(&self) -> u64 {
        0
    }

    fn state(&self) -> LinkState {
        LinkState::Absent
    }

    fn connected_within<'a>(&'a self, _: Duration) -> Fut<'a, bool> {
        ready(true)
    }

    fn wake(&self) {}

    fn close<'a>(&'a self, _: Duration) -> Fut<'a, usize> {
        ready(0)
    }

    fn on_reconnect(&self, _: Arc<dyn Fn() + Send + Sync>) {}
}
