//! What a miss costs with Redis: tasks that ask, one call after the other, for keys that were never asked for; an origin that answers at once.
//!
//! The number of misses is fixed, so that everybody stores as many.

use crate::candidate::Candidate;
use crate::latencies::Latencies;
use crate::origin;
use crate::product::Value;
use crate::report::Report;
use crate::run::Parameters;
use crate::server::Server;
use std::time::Instant;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

pub(crate) const COUNT: u64 = 40_000;
/// Run first, uncounted.
const WARM: u64 = 1_000;
/// Of a task that is alone: for one after the other, a quarter of them takes seconds.
const ALONE: u64 = 10_000;

pub(crate) fn measure<C: Candidate>(
    runtime: &Runtime,
    candidate: C,
    parameters: &Parameters,
) -> Report {
    let tasks = parameters.number("tasks", 1);
    let misses = if tasks == 1 { ALONE } else { COUNT };
    let mut server = Server::at(parameters.redis());
    runtime.block_on(async {
        each(0..WARM, tasks, candidate).await;
        let (runs, commands) = (origin::runs(), server.commands());
        let start = Instant::now();
        let all = each(WARM..WARM + misses, tasks, candidate).await;
        let elapsed = start.elapsed().as_secs_f64();
        assert_eq!(origin::runs() - runs, misses, "each was a miss");
        let commands = server.commands() - commands;
        Report::new()
            .figure("kops", misses as f64 / elapsed / 1e3)
            .figure("p50_us", all.quantile(0.5) / 1e3)
            .figure("p99_us", all.quantile(0.99) / 1e3)
            .figure("commands", commands as f64 / misses as f64)
    })
}

/// Asks for every key once, and takes each call's time.
async fn each<C: Candidate>(ids: std::ops::Range<u64>, tasks: u64, candidate: C) -> Latencies {
    let mut running = JoinSet::new();
    for task in 0..tasks {
        let mine = (ids.start + task..ids.end).step_by(tasks as usize);
        running.spawn(async move {
            let mut latencies = Latencies::default();
            for id in mine {
                let start = Instant::now();
                let number = candidate.owned(id).await.number();
                latencies.add(start.elapsed());
                assert_eq!(number, id % origin::PRODUCTS, "another key's value");
            }
            latencies
        });
    }
    let mut all = Latencies::default();
    while let Some(latencies) = running.join_next().await {
        all.join(&latencies.expect("a miss does not panic"));
    }
    all
}
