//! A hundred callers of one key that nobody has: how often the origin is run, and how long after the end of its first run the
//! last caller has its value.

use super::median;
use crate::candidate::Candidate;
use crate::origin;
use crate::product::Value;
use crate::report::Report;
use crate::run::Parameters;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

const CALLERS: usize = 100;
/// Longer than a hundred runs of the origin one after the other.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn measure<C: Candidate>(
    runtime: &Runtime,
    candidate: C,
    parameters: &Parameters,
) -> Report {
    let rounds = if parameters.quick() { 3 } else { 10 };
    let (mut runs, mut lates) = (Vec::new(), Vec::new());
    runtime.block_on(async {
        for id in 0..rounds {
            let (ran, late) = round(candidate, id).await;
            runs.push(ran as f64);
            lates.push(late.as_secs_f64() * 1e3);
        }
    });
    Report::new()
        .figure("origin_runs", runs.iter().copied().fold(0.0, f64::max))
        .figure("last_caller_ms", median(lates))
}

async fn round<C: Candidate>(candidate: C, id: u64) -> (usize, Duration) {
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        callers.spawn(async move {
            let value = candidate.slow(id).await;
            assert_eq!(value.number(), id);
            Instant::now()
        });
    }
    let answered = tokio::time::timeout(PATIENCE, callers.join_all()).await;
    let answered = answered.expect("every caller is answered some time");
    let last = answered.into_iter().max().expect("there are a hundred");
    let loads = origin::loads_of(id);
    let first = loads.iter().filter_map(|load| load.ended).min();
    let first = first.expect("one of them ran the origin to its end");
    (loads.len(), last.saturating_duration_since(first))
}
