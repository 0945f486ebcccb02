//! The shared tier of a cache that has none: every question is answered as an empty store would.
//!
//! A load then leads at once and its store "succeeds", so the engine's one path serves memory-only
//! caches too.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;

use super::{
    Acquire, Acquired, Fut, Labelled, Labels, LinkState, Read, Remote, Removal, Removed, Store,
    Stored, Tier, TierError,
};
use crate::bus::{Listener, Manner};
use crate::entry::Token;
use crate::key::Pattern;
use crate::tags::{Label, Standing};

/// The null shared tier.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NoTier;

fn ready<'a, T: Send + 'a>(value: T) -> Fut<'a, T> {
    Box::pin(std::future::ready(value))
}

impl Tier for NoTier {
    fn is_present(&self) -> bool {
        false
    }

    fn read<'a>(
        &'a self,
        _: &'a str,
        _: &'a [Label],
        _: Duration,
    ) -> Fut<'a, Result<Read, TierError>> {
        ready(Ok(Read::default()))
    }

    fn standings<'a>(
        &'a self,
        labels: &'a [Label],
        _: Duration,
    ) -> Fut<'a, Result<Vec<Standing>, TierError>> {
        ready(Ok(vec![Standing::Missing; labels.len()]))
    }

    fn labelled<'a>(&'a self, _: Labels<'a>, _: Duration) -> Fut<'a, Result<Labelled, TierError>> {
        ready(Ok(Labelled::default()))
    }

    fn acquire<'a>(
        &'a self,
        _: &'a str,
        _: Acquire,
        _: Labels<'a>,
        _: Duration,
    ) -> Fut<'a, Result<(Acquired, Labelled), TierError>> {
        ready(Ok((Acquired::Lead, Labelled::default())))
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

    fn fail<'a>(
        &'a self,
        _: &'a str,
        _: Token,
        _: Duration,
        _: Duration,
    ) -> Fut<'a, Result<bool, TierError>> {
        ready(Ok(true))
    }

    fn release_later(&self, _: &str, _: Token) {}

    fn remove<'a>(&'a self, _: Removal<'a>, _: Duration) -> Fut<'a, Result<Removed, TierError>> {
        ready(Ok(Removed::default()))
    }

    fn sweep<'a>(
        &'a self,
        _: &'a Pattern,
        _: Manner,
        _: Duration,
    ) -> Fut<'a, Result<u64, TierError>> {
        ready(Ok(0))
    }

    fn reclaim<'a>(
        &'a self,
        _: &'a str,
        _: &'a (dyn Fn(&str, &Bytes) -> bool + Sync),
        _: Duration,
    ) -> Fut<'a, Result<u64, TierError>> {
        ready(Ok(0))
    }

    fn listen(&self, _: Arc<dyn Listener>) {}

    fn connection(&self) -> u64 {
        0
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

    fn state(&self) -> LinkState {
        LinkState::Absent
    }

    fn connected_within<'a>(&'a self, _: Duration) -> Fut<'a, bool> {
        ready(true)
    }

    fn close<'a>(&'a self, _: Duration) -> Fut<'a, usize> {
        ready(0)
    }
}
