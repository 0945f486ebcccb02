//! One key that many tasks of a process ask for all the time, and how long each of them waits for it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use cache_runtime::{Cache, traced};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::calls::{self, Function};
use super::origin::Source;

/// A request to do that.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hammer {
    /// Through which cache.
    pub cache: String,
    /// What is called, with 7.
    pub function: Function,
    /// Where the origin is.
    pub source: Source,
    /// How many tasks call it.
    pub tasks: usize,
    /// Each rests for so long between its calls, and lets the others have the machine.
    pub rest: Duration,
    /// For how long.
    pub length: Duration,
    /// Calls that begin before so much of it is over are not counted.
    pub warm_up: Duration,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blows {
    /// How the calls were answered.
    pub served: BTreeMap<String, usize>,
    /// How many failed.
    pub errors: usize,
    /// How long half of the calls took at most.
    pub p50: Duration,
    /// How long 99 of 100 took at most.
    pub p99: Duration,
    /// How long 999 of 1,000 took at most.
    pub p999: Duration,
    /// How long the slowest took.
    pub slowest: Duration,
    /// By how much a timer of this process was late at most: so long it did nothing at all.
    pub asleep: Duration,
}

#[derive(Debug, Default)]
struct Counted {
    served: BTreeMap<String, usize>,
    errors: usize,
    took: Vec<Duration>,
}

/// Calls it from all tasks until the time is over.
pub(super) async fn run(cache: &Cache, ask: Hammer) -> Blows {
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..ask.tasks {
        tasks.spawn(cache.as_current(one(ask.clone(), begun)));
    }
    let asleep = tokio::spawn(latest_timer(begun + ask.length));
    let mut all = Counted::default();
    while let Some(counted) = tasks.join_next().await {
        all.add(counted.expect("an annotated function always answers"));
    }
    let mut blows = all.sum();
    blows.asleep = asleep.await.expect("it only sleeps");
    blows
}

async fn one(ask: Hammer, begun: Instant) -> Counted {
    let mut counted = Counted::default();
    while begun.elapsed() < ask.length {
        let counts = begun.elapsed() >= ask.warm_up;
        let call = traced(calls::run(ask.function, ask.source.clone(), 7));
        let called = Instant::now();
        let (value, served) = call.await;
        if counts {
            counted.took.push(called.elapsed());
            counted.errors += usize::from(value.is_none());
            let served = served.expect("the call was annotated");
            *counted.served.entry(format!("{served:?}")).or_default() += 1;
        }
        tokio::time::sleep(ask.rest).await;
    }
    counted
}

async fn latest_timer(until: Instant) -> Duration {
    const TICK: Duration = Duration::from_millis(10);
    let mut latest = Duration::ZERO;
    while Instant::now() < until {
        let begun = Instant::now();
        tokio::time::sleep(TICK).await;
        latest = latest.max(begun.elapsed().saturating_sub(TICK));
    }
    latest
}

impl Counted {
    fn add(&mut self, other: Counted) {
        for (served, count) in other.served {
            *self.served.entry(served).or_default() += count;
        }
        self.errors += other.errors;
        self.took.extend(other.took);
    }

    fn sum(mut self) -> Blows {
        self.took.sort_unstable();
        let at = |share: usize| {
            let last = (self.took.len() * share).div_ceil(1_000).max(1) - 1;
            self.took.get(last).copied().unwrap_or_default()
        };
        Blows {
            p50: at(500),
            p99: at(990),
            p999: at(999),
            slowest: at(1_000),
            served: self.served,
            errors: self.errors,
            asleep: Duration::ZERO,
        }
    }
}

impl Blows {
    /// How many calls there were.
    pub fn calls(&self) -> usize {
        self.served.values().sum()
    }

    /// How many waited for a load, their own or another's.
    pub fn loaded(&self) -> usize {
        let waited = |served: &&str| self.served.get(*served).copied();
        ["Loaded", "Shared"].iter().filter_map(waited).sum()
    }

    /// These and those; of the times the longer.
    #[must_use]
    pub fn and(mut self, other: &Blows) -> Blows {
        for (served, count) in &other.served {
            *self.served.entry(served.clone()).or_default() += count;
        }
        self.errors += other.errors;
        self.p50 = self.p50.max(other.p50);
        self.p99 = self.p99.max(other.p99);
        self.p999 = self.p999.max(other.p999);
        self.slowest = self.slowest.max(other.slowest);
        self.asleep = self.asleep.max(other.asleep);
        self
    }
}

impl fmt::Display for Blows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} calls, {} served by a load; p50 {:?}, p99 {:?}, p99.9 {:?}, slowest {:?} (a timer {:?} late); {:?}",
            self.calls(),
            self.loaded(),
            self.p50,
            self.p99,
            self.p999,
            self.slowest,
            self.asleep,
            self.served,
        )
    }
}
