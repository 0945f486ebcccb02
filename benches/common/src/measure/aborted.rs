//! The task that loads a key is aborted while 99 others wait for it, as a server does when a client hangs up: who is
//! answered, and when.

use crate::candidate::Candidate;
use crate::origin;
use crate::report::Report;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

const WAITERS: usize = 99;
/// A waiter without an answer so long after the abort, with an origin that takes 50 ms, hangs.
const HANGS: Duration = Duration::from_secs(2);
/// Then it is given up.
const PATIENCE: Duration = Duration::from_secs(8);
const KEY: u64 = 7;

pub(crate) fn measure<C: Candidate>(runtime: &Runtime, candidate: C) -> Report {
    runtime.block_on(abort(candidate))
}

async fn abort<C: Candidate>(candidate: C) -> Report {
    let leader = tokio::spawn(async move { candidate.slow(KEY).await });
    while origin::loads_of(KEY).is_empty() {
        tokio::task::yield_now().await;
    }
    let mut waiters = JoinSet::new();
    for _ in 0..WAITERS {
        waiters.spawn(async move { candidate.slow(KEY).await });
    }
    // Enough for all of them to be waiting, and short of the origin's 50 ms.
    tokio::time::sleep(Duration::from_millis(15)).await;
    leader.abort();
    let aborted = Instant::now();
    let cancelled = leader.await.is_err_and(|error| error.is_cancelled());
    assert!(cancelled, "the leader was aborted in time");
    let (mut hanging, mut answered, mut last) = (WAITERS, 0, aborted);
    while let Ok(Some(waiter)) =
        tokio::time::timeout_at((aborted + PATIENCE).into(), waiters.join_next()).await
    {
        last = Instant::now();
        // A library may pass the abort on as an error or a panic: then the waiter has no value, but does not hang.
        answered += usize::from(waiter.is_ok());
        hanging -= usize::from(last - aborted <= HANGS);
    }
    let all = waiters.is_empty();
    Report::new()
        .figure("hanging", hanging as f64)
        .figure("failed", (WAITERS - waiters.len() - answered) as f64)
        .figure("origin_runs", origin::loads_of(KEY).len() as f64)
        .perhaps(
            "all_answered_ms",
            all.then(|| (last - aborted).as_secs_f64() * 1e3),
        )
}
