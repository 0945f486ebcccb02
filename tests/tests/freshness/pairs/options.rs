//! The options, and a function for every two of them.

use std::{future::Future, pin::Pin, time::Duration};

use cache_runtime::{Served, cacheable, traced};

use super::record::{Failure, Process};
use crate::origin::{MILLI, SECOND};

pub(super) const TTL: Duration = Duration::from_secs(10);
pub(super) const REVALIDATE: Duration = Duration::from_secs(20);
pub(super) const HIDE: Duration = Duration::from_secs(30);
pub(super) const PAUSE: Duration = Duration::from_secs(2);
pub(super) const SOFT: Duration = MILLI.saturating_mul(300);
pub(super) const HARD: Duration = MILLI.saturating_mul(600);

/// What a call gave, and how it was served.
type Answer = (Result<u64, Failure>, Option<Served>);
pub(super) type Ask = fn(Process, u64) -> Pin<Box<dyn Future<Output = Answer> + Send>>;

/// A function with two of the options.
pub(super) struct Pair {
    pub(super) options: [&'static str; 2],
    pub(super) ask: Ask,
}

impl Pair {
    pub(super) fn has(&self, option: &str) -> bool {
        self.options.contains(&option)
    }

    pub(super) fn revalidates(&self) -> Duration {
        if self.has("stale_while_revalidate") {
            REVALIDATE
        } else {
            Duration::ZERO
        }
    }

    pub(super) fn hides(&self) -> Duration {
        if self.has("stale_if_error") {
            HIDE
        } else {
            Duration::ZERO
        }
    }

    /// How long a value is kept beyond its ttl.
    pub(super) fn window(&self) -> Duration {
        self.revalidates().max(self.hides())
    }
}

macro_rules! pair {
    (($one:ident $($first:tt)*) ($other:ident $($second:tt)*)) => {{
        #[cacheable(
            key = "pairs:{key}", ttl = "10s", jitter = 0.0, tags = ["tag:{key}"], stampede_protection, cache = process.cache,
            $one $($first)*, $other $($second)*
        )]
        async fn ask(process: Process, key: u64) -> Result<u64, Failure> {
            process.log.load(key).await
        }
        Pair {
            options: [stringify!($one), stringify!($other)],
            ask: |process, key| Box::pin(traced(ask(process, key))),
        }
    }};
}

macro_rules! every_two {
    ([$($done:tt)*]) => { vec![$($done)*] };
    ([$($done:tt)*] $first:tt $($rest:tt)*) => {
        every_two!([$($done)* $(pair!($first $rest),)*] $($rest)*)
    };
}

pub(super) fn pairs() -> Vec<Pair> {
    let pairs = every_two!([](background_refresh = 0.5)(early_refresh = 2.0)(
        stale_while_revalidate = REVALIDATE
    )(stale_if_error = HIDE, retry_after = PAUSE)(
        soft_timeout = SOFT
    )(hard_timeout = HARD)(
        refresh_every = "4s", idle = 20 * SECOND
    )(consistency_check = 0.5));
    assert_eq!(pairs.len(), 28);
    pairs
}
