//! A hit in Redis: tasks that ask one call after the other for keys that are all there. Throughput, how long a call takes, what it costs this process,
//! and how many commands the server was sent.
//!
//! Every call's time is taken, which costs each candidate one look at the clock.

use super::together;
use crate::candidate::Candidate;
use crate::keys::{self, Distribution};
use crate::latencies::Latencies;
use crate::product::Value;
use crate::report::Report;
use crate::run::{Form, Parameters};
use crate::server::Server;
use crate::{origin, process};
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

const DRAWS: usize = 1 << 16;
/// Calls after which a task lets others run.
const PAUSE: usize = 64;

pub(crate) fn measure<C: Candidate>(
    runtime: &Runtime,
    candidate: C,
    parameters: &Parameters,
    form: Form,
    keys: u64,
) -> Report {
    let distribution = match parameters.word("distribution", "zipf") {
        "uniform" => Distribution::Uniform,
        _ => Distribution::Zipf,
    };
    let plan = Plan {
        tasks: parameters.number("tasks", 1) as usize,
        time: Duration::from_millis(if parameters.quick() { 700 } else { 2_000 }),
        ids: keys::draw(distribution, keys, DRAWS).into(),
        keys,
    };
    let server = Server::at(parameters.redis());
    match form {
        Form::Document => plan.run(runtime, server, move |id| candidate.document(id)),
        _ if C::UNDECODED => plan.run(runtime, server, move |id| candidate.undecoded(id)),
        _ => plan.run(runtime, server, move |id| candidate.owned(id)),
    }
}

struct Plan {
    tasks: usize,
    time: Duration,
    ids: Arc<[u32]>,
    keys: u64,
}

impl Plan {
    fn run<V, F, Fut>(self, runtime: &Runtime, mut server: Server, call: F) -> Report
    where
        V: Value,
        F: Fn(u64) -> Fut + Copy + Send + Sync + 'static,
        Fut: Future<Output = V> + Send + 'static,
    {
        runtime.block_on(together::fill(self.keys, call));
        let (warm, begin) = (Barrier::new(self.tasks + 1), Barrier::new(self.tasks + 1));
        let barriers = Arc::new((warm, begin));
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for task in 0..self.tasks {
                let (ids, barriers) = (Arc::clone(&self.ids), Arc::clone(&barriers));
                let start = ids.len() / self.tasks * task;
                tasks.spawn(async move {
                    until(self.time / 5, &ids, start, call).await;
                    barriers.0.wait().await;
                    barriers.1.wait().await;
                    until(self.time, &ids, start, call).await
                });
            }
            barriers.0.wait().await;
            let (runs, commands, on_core) = (origin::runs(), server.commands(), process::on_core());
            let start = Instant::now();
            barriers.1.wait().await;
            let mut all = Latencies::default();
            while let Some(latencies) = tasks.join_next().await {
                all.join(&latencies.expect("a hit does not panic"));
            }
            let elapsed = start.elapsed().as_secs_f64();
            let on_core = process::on_core().zip(on_core);
            let hits = all.count() as f64;
            let commands = server.commands() - commands;
            let missed = (origin::runs() - runs) as f64;
            assert!(
                missed * 200.0 < hits,
                "{missed} of {hits} calls were misses"
            );
            Report::new()
                .figure("kops", hits / elapsed / 1e3)
                .figure("p50_us", all.quantile(0.5) / 1e3)
                .figure("p99_us", all.quantile(0.99) / 1e3)
                .perhaps(
                    "cpu_us",
                    on_core.map(|(after, before)| (after - before).as_secs_f64() * 1e6 / hits),
                )
                .figure("commands", commands as f64 / hits)
        })
    }
}

async fn until<V, F, Fut>(time: Duration, ids: &[u32], start: usize, call: F) -> Latencies
where
    F: Fn(u64) -> Fut,
    Fut: Future<Output = V>,
{
    let mut latencies = Latencies::default();
    let mut last = Instant::now();
    let end = last + time;
    for (call_number, &id) in ids.iter().cycle().skip(start).enumerate() {
        black_box(call(u64::from(id)).await);
        let now = Instant::now();
        latencies.add(now - last);
        last = now;
        if now >= end {
            break;
        }
        // With memory in front nothing else makes a task give way, and what hears from Redis would not get a turn.
        if call_number % PAUSE == PAUSE - 1 {
            tokio::task::yield_now().await;
            last = Instant::now();
        }
    }
    latencies
}
