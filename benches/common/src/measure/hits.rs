//! How long a hit takes: a loop on each task, over keys drawn beforehand, every one of them in the cache.
//!
//! With one task the figure is the median over slices of half a millisecond, so that a slice in which the task was
//! taken off its core does not count; with more it is the throughput of all of them together.

use super::{median, slice};
use crate::candidate::Candidate;
use crate::keys::{self, Distribution};
use crate::product::Value;
use crate::report::Report;
use crate::run::{Form, Parameters};
use crate::{origin, process};
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::Barrier;

/// 256 KB of numbers, walked through in order.
const DRAWS: usize = 1 << 16;

pub(crate) fn measure<C: Candidate>(
    runtime: &Runtime,
    candidate: C,
    parameters: &Parameters,
    form: Form,
    keys: u64,
) -> Report {
    let ids = || keys::draw(Distribution::Zipf, keys, DRAWS);
    let plan = Plan {
        tasks: parameters.number("tasks", 1) as usize,
        pause: parameters.number("pause", 1_024) as usize,
        time: Duration::from_millis(if parameters.quick() { 100 } else { 400 }),
        keys,
    };
    match form {
        Form::Shared => plan.run(runtime, ids(), move |id| candidate.shared(id)),
        Form::Owned => plan.run(runtime, ids(), move |id| candidate.owned(id)),
        Form::Blob => plan.run(runtime, ids(), move |id| candidate.blob(id)),
        Form::SharedBlob => plan.run(runtime, ids(), move |id| candidate.shared_blob(id)),
        Form::Three => plan.run(runtime, ids(), move |id| {
            let (category, page, ascending) = keys::three(id);
            candidate.three(category, page, ascending)
        }),
        Form::Text => plan.run(runtime, ids(), move |id| candidate.text(keys::text(id))),
        Form::Document => panic!("texts are measured in Redis"),
        Form::Slow => panic!("hits do not run the slow origin"),
    }
}

/// How the loop is run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) tasks: usize,
    /// After so many hits a task that is not alone lets others run.
    pub(crate) pause: usize,
    pub(crate) time: Duration,
    pub(crate) keys: u64,
}

impl Plan {
    pub(crate) fn run<V, F, Fut>(self, runtime: &Runtime, ids: Vec<u32>, call: F) -> Report
    where
        V: Value,
        F: Fn(u64) -> Fut + Copy + Send + Sync + 'static,
        Fut: Future<Output = V> + Send + 'static,
    {
        runtime.block_on(async {
            tokio::spawn(fill(self.keys, call))
                .await
                .expect("filling does not panic")
        });
        let ids: Arc<[u32]> = ids.into();
        let before = origin::runs();
        let report = match self.tasks {
            1 => runtime.block_on(async {
                let one = tokio::spawn(one(self, ids, call));
                one.await.expect("a hit does not panic")
            }),
            _ => runtime.block_on(many(self, ids, call)),
        };
        let hits = report.hits;
        let missed = origin::runs() - before;
        // What was evicted or refused admission was not a hit; a few in a thousand do not change the figure.
        assert!(missed * 200 < hits, "{missed} of {hits} calls were misses");
        Report::new()
            .figure("ns_per_op", report.nanoseconds)
            .figure("mops", 1e3 / report.nanoseconds)
            .perhaps(
                "cpu_ns_per_op",
                report
                    .on_core
                    .map(|time| time.as_nanos() as f64 / hits as f64),
            )
    }
}

/// Brings every key in, and looks at what comes back.
pub(crate) async fn fill<V, F, Fut>(keys: u64, call: F)
where
    V: Value,
    F: Fn(u64) -> Fut,
    Fut: Future<Output = V>,
{
    for id in 0..keys {
        assert_eq!(
            call(id).await.number(),
            id % origin::PRODUCTS,
            "another key's value"
        );
    }
}

struct Outcome {
    hits: u64,
    nanoseconds: f64,
    on_core: Option<Duration>,
}

async fn one<V, F, Fut>(plan: Plan, ids: Arc<[u32]>, call: F) -> Outcome
where
    F: Fn(u64) -> Fut + Copy,
    Fut: Future<Output = V>,
{
    // Warm: the caches of the core, the branch predictor, what a library does after its first reads.
    once(&ids, call).await;
    let began = Instant::now();
    once(&ids, call).await;
    let slice = slice(ids.len(), began.elapsed());
    let (mut slices, mut hits) = (Vec::new(), 0);
    let (start, on_core) = (Instant::now(), process::on_core());
    'time: loop {
        for slice in ids.chunks(slice) {
            let began = Instant::now();
            once(slice, call).await;
            slices.push(began.elapsed().as_nanos() as f64 / slice.len() as f64);
            hits += slice.len() as u64;
            if start.elapsed() >= plan.time {
                break 'time;
            }
        }
    }
    let on_core = process::on_core()
        .zip(on_core)
        .map(|(after, before)| after - before);
    Outcome {
        hits,
        nanoseconds: median(slices),
        on_core,
    }
}

/// The loop itself.
async fn once<V, F, Fut>(ids: &[u32], call: F)
where
    F: Fn(u64) -> Fut,
    Fut: Future<Output = V>,
{
    for &id in ids {
        black_box(call(u64::from(id)).await);
    }
}

async fn many<V, F, Fut>(plan: Plan, ids: Arc<[u32]>, call: F) -> Outcome
where
    V: Value,
    F: Fn(u64) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = V> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(plan.tasks + 1));
    let tasks: Vec<_> = (0..plan.tasks)
        .map(|task| {
            let (ids, barrier) = (Arc::clone(&ids), Arc::clone(&barrier));
            // Everybody walks the same array, each from a place of its own.
            let start = ids.len() / plan.tasks * task;
            tokio::spawn(async move {
                once(&ids[start..], call).await;
                barrier.wait().await;
                until(Instant::now() + plan.time, plan.pause, &ids, start, call).await
            })
        })
        .collect();
    barrier.wait().await;
    let (start, on_core) = (Instant::now(), process::on_core());
    let mut hits = 0;
    for task in tasks {
        hits += task.await.expect("a hit does not panic");
    }
    let elapsed = start.elapsed();
    let on_core = process::on_core()
        .zip(on_core)
        .map(|(after, before)| after - before);
    let nanoseconds = elapsed.as_nanos() as f64 / hits as f64;
    Outcome {
        hits,
        nanoseconds,
        on_core,
    }
}

async fn until<V, F, Fut>(end: Instant, pause: usize, ids: &[u32], start: usize, call: F) -> u64
where
    F: Fn(u64) -> Fut + Copy,
    Fut: Future<Output = V>,
{
    let (mut hits, mut from) = (0, start);
    while Instant::now() < end {
        let to = (from + pause).min(ids.len());
        once(&ids[from..to], call).await;
        hits += (to - from) as u64;
        from = to % ids.len();
        tokio::task::yield_now().await;
    }
    hits
}
