//! What a test of one row needs: a cache of every kind, an origin, and a policy; and annotated functions for what only they can.

use std::time::Duration;

use cache_runtime::{Cache, LoadTimeout, Policy, Served};

use crate::origin::{Down, Origin, SECOND, every_kind};
use tokio::time::{Instant, sleep};

/// One kind of cache.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) kind: &'static str,
    pub(crate) cache: Cache,
    pub(crate) origin: Origin,
    pub(crate) policy: Policy,
}

/// For every kind of cache one with this policy.
pub(crate) async fn each(policy: Policy) -> Vec<Case> {
    let kinds = every_kind().await.into_iter();
    kinds
        .map(|(kind, cache)| Case {
            kind,
            cache,
            origin: Origin::new(),
            policy: policy.clone(),
        })
        .collect()
}

impl Case {
    pub(crate) async fn ask(&self) -> (Result<u64, Down>, Served) {
        self.origin.ask(&self.cache, "a", &self.policy).await
    }

    /// The answer of a call.
    #[track_caller]
    pub(crate) fn is(
        &self,
        answer: (Result<u64, Down>, Served),
        result: Result<u64, Down>,
        served: Served,
    ) {
        assert_eq!(answer, (result, served), "{}", self.kind);
    }

    /// How often the origin was asked.
    #[track_caller]
    pub(crate) fn loads(&self, expected: usize) {
        assert_eq!(self.origin.loads(), expected, "{}: loads", self.kind);
    }

    /// The first load.
    pub(crate) async fn begin(&self) {
        self.is(self.ask().await, Ok(0), Served::Loaded);
        self.origin.becomes(1);
    }

    pub(crate) fn desk(&self) -> Desk {
        Desk {
            cache: self.cache.clone(),
            origin: self.origin.clone(),
        }
    }

    #[track_caller]
    pub(crate) fn took(&self, took: Duration, expected: Duration) {
        let about = self.kind;
        assert!(
            took >= expected && took < expected + Duration::from_millis(20),
            "{about}: {took:?} instead of {expected:?}"
        );
    }
}

/// Seconds pass.
pub(crate) async fn pass(seconds: f64) {
    sleep(SECOND.mul_f64(seconds)).await;
}

/// How long it took.
pub(crate) async fn timed<F: Future>(work: F) -> (F::Output, Duration) {
    let began = Instant::now();
    let output = work.await;
    (output, began.elapsed())
}

/// What annotated functions are given.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    pub(crate) cache: Cache,
    pub(crate) origin: Origin,
}

/// What they fail with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    Down,
    Late(Duration),
}

impl From<LoadTimeout> for Failed {
    fn from(timeout: LoadTimeout) -> Self {
        Self::Late(timeout.after())
    }
}

impl From<Down> for Failed {
    fn from(_: Down) -> Self {
        Self::Down
    }
}

/// What an origin's number is as a value.
pub(crate) trait Shown {
    fn shown(number: u64) -> Self;
}

impl Shown for u64 {
    fn shown(number: u64) -> Self {
        number
    }
}

/// The number that stands for nothing.
pub(crate) const NOTHING: u64 = 404;

impl Shown for Option<u64> {
    fn shown(number: u64) -> Self {
        (number != NOTHING).then_some(number)
    }
}

/// An annotated function: the value of its origin, under the key "a".
macro_rules! site {
    ($name:ident -> $value:ty, $($options:tt)*) => {
        #[cacheable(key = "a", jitter = 0.0, cache = desk.cache, $($options)*)]
        async fn $name(desk: crate::case::Desk) -> Result<$value, crate::case::Failed> {
            let number = desk.origin.answer().await?;
            Ok(<$value as crate::case::Shown>::shown(number))
        }
    };
}
pub(crate) use site;
