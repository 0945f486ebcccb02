//! An origin that says what a test wants, and counts how often it was asked; and caches that ask it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_runtime::testing::ModelRedis;
use cache_runtime::{Cache, Key, Known, Policy, Refresh, Served, traced};
use tests::caches::build;
use tokio::time::sleep;

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MILLI: Duration = Duration::from_millis(1);
pub(crate) const ZERO: Duration = Duration::ZERO;

/// What the origin fails with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Down;

/// How the next loads go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Way {
    #[default]
    Answers,
    Fails,
    Panics,
    /// It says that what is known is still right, if anything is.
    NotModified,
}

#[derive(Debug, Default)]
struct State {
    value: u64,
    loads: usize,
    takes: Duration,
    way: Way,
    /// The values that loads knew, and their ages.
    known: Vec<Option<(u64, Duration)>>,
}

/// An origin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin(Arc<Mutex<State>>);

impl Origin {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().expect("no holder panics"))
    }

    /// The origin changes; nobody is told.
    pub(crate) fn becomes(&self, value: u64) {
        self.with(|state| state.value = value);
    }

    /// How the next loads go.
    pub(crate) fn goes(&self, way: Way) {
        self.with(|state| state.way = way);
    }

    /// How long loads take from now on.
    pub(crate) fn takes(&self, long: Duration) {
        self.with(|state| state.takes = long);
    }

    pub(crate) fn loads(&self) -> usize {
        self.with(|state| state.loads)
    }

    pub(crate) fn known(&self) -> Vec<Option<(u64, Duration)>> {
        self.with(|state| state.known.clone())
    }

    /// One load. Its value is what the origin has when the load begins.
    pub(crate) async fn load(self, known: Option<Known<u64>>) -> Result<Refresh<u64>, Down> {
        let (value, takes, way) = self.with(|state| {
            state.loads += 1;
            let about = known.as_ref().map(|known| (*known.value(), known.age()));
            state.known.push(about);
            (state.value, state.takes, state.way)
        });
        if !takes.is_zero() {
            sleep(takes).await;
        }
        match way {
            Way::Answers => Ok(Refresh::Value(value)),
            Way::Fails => Err(Down),
            Way::Panics => std::panic::resume_unwind(Box::new("on purpose")),
            Way::NotModified if known.is_some() => Ok(Refresh::NotModified),
            Way::NotModified => Ok(Refresh::Value(value)),
        }
    }

    /// The same, for a body.
    pub(crate) async fn answer(self) -> Result<u64, Down> {
        match self.load(None).await? {
            Refresh::Value(value) => Ok(value),
            Refresh::NotModified => unreachable!("nothing is known"),
        }
    }

    /// Asks for the value under `key`.
    pub(crate) async fn ask(
        &self,
        cache: &Cache,
        key: &str,
        policy: &Policy,
    ) -> (Result<u64, Down>, Served) {
        let origin = self.clone();
        let load = move |known| origin.clone().load(known);
        let key = Key::new(key);
        let (answer, served) = traced(cache.try_get_or_refresh(&key, policy, load)).await;
        (answer, served.expect("a call says how it was served"))
    }
}

/// A cache in memory alone, on the clock that waits run on.
pub(crate) fn alone() -> Cache {
    build(tests::caches::builder().tokio_clock())
}

/// So many processes on one server.
pub(crate) async fn fleet<const N: usize>() -> ([Cache; N], ModelRedis) {
    let model = ModelRedis::new();
    let caches = std::array::from_fn(|_| {
        build(
            Cache::builder("fleet")
                .defaults(Policy::new().jitter(0.0))
                .model_redis(&model)
                .tokio_clock(),
        )
    });
    for cache in &caches {
        cache.ready(SECOND).await.expect("the model is there");
    }
    (caches, model)
}

/// Every kind of cache that a test of one process is about.
pub(crate) async fn every_kind() -> Vec<(&'static str, Cache)> {
    let ([shared], _) = fleet::<1>().await;
    let ([redis_only], _) = fleet::<1>().await;
    let _ = redis_only;
    vec![("memory alone", alone()), ("with Redis", shared)]
}

/// What runs in the background has its turn.
pub(crate) async fn settle() {
    sleep(5 * MILLI).await;
}
