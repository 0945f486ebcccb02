//! What a call takes while the server is stopped (`SIGSTOP`): connected, silent. The origin answers at once, so all of it is added by the cache.
//!
//! First 100 callers at once, each of another key that is in Redis; then one after the other.

use super::together;
use crate::candidate::Candidate;
use crate::latencies::Latencies;
use crate::product::Value;
use crate::report::Report;
use crate::run::Parameters;
use crate::server::Server;
use std::process::Command;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::timeout;

const AT_ONCE: u64 = 100;
const LATER: u64 = 1_000;
/// A call that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(15);

pub(crate) fn measure<C: Candidate>(
    runtime: &Runtime,
    candidate: C,
    parameters: &Parameters,
    keys: u64,
) -> Report {
    let mut server = Server::at(parameters.redis());
    runtime.block_on(together::fill(keys, move |id| candidate.owned(id)));
    let process = server.process();
    signal("-STOP", process);
    let (first, unanswered) = runtime.block_on(at_once(candidate));
    let mut report = Report::new()
        .figure("unanswered", unanswered as f64)
        .figure("first_p50_ms", first.quantile(0.5) / 1e6)
        .figure("first_most_ms", first.most() / 1e6);
    if unanswered == 0 {
        let time = Duration::from_secs(if parameters.quick() { 5 } else { 15 });
        let later = async { tokio::spawn(one_by_one(candidate, keys, time)).await };
        let later = runtime.block_on(later).expect("a call does not panic");
        report = report
            .figure("later_p50_us", later.quantile(0.5) / 1e3)
            .figure("later_p99_us", later.quantile(0.99) / 1e3)
            .figure("later_most_ms", later.most() / 1e6);
    }
    signal("-CONT", process);
    report
}

async fn at_once<C: Candidate>(candidate: C) -> (Latencies, usize) {
    let mut callers = JoinSet::new();
    for id in 0..AT_ONCE {
        callers.spawn(async move {
            let start = Instant::now();
            let value = timeout(PATIENCE, candidate.owned(id)).await.ok()?;
            assert_eq!(value.number(), id);
            Some(start.elapsed())
        });
    }
    let (mut latencies, mut unanswered) = (Latencies::default(), 0);
    for took in callers.join_all().await {
        match took {
            Some(took) => latencies.add(took),
            None => unanswered += 1,
        }
    }
    (latencies, unanswered)
}

/// As many as are answered in the time.
async fn one_by_one<C: Candidate>(candidate: C, keys: u64, time: Duration) -> Latencies {
    let (mut latencies, begun) = (Latencies::default(), Instant::now());
    for call in 0..LATER {
        let id = (AT_ONCE + call) % keys;
        let start = Instant::now();
        if let Ok(value) = timeout(PATIENCE, candidate.owned(id)).await {
            assert_eq!(value.number(), id);
        }
        latencies.add(start.elapsed());
        if begun.elapsed() >= time {
            break;
        }
    }
    latencies
}

fn signal(which: &str, process: u64) {
    let status = Command::new("kill")
        .args([which, &process.to_string()])
        .status();
    let sent = status.is_ok_and(|status| status.success());
    assert!(sent, "cannot send {which} to {process}");
}
