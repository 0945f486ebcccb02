//! A hundred callers of one cold key in each of several processes, all at the same moment: how often the origin is run by all of them together, and how
//! long after the end of its first run the very last caller has its value.

use super::median;
use crate::candidate::Candidate;
use crate::fleet::{self, Fleet};
use crate::origin;
use crate::product::Value;
use crate::report::Report;
use crate::run::Parameters;
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

const CALLERS: usize = 100;
const PATIENCE: Duration = Duration::from_secs(20);
/// Keys of the rounds are below.
const WARM: u64 = 1_000;

pub(crate) fn measure<C: Candidate>(
    runtime: &Runtime,
    candidate: C,
    parameters: &Parameters,
) -> Report {
    let fleet = Fleet::of(parameters);
    let rounds = if parameters.quick() { 5 } else { 15 };
    // Connections, subscriptions, scripts: a service has them before its keys grow cold.
    runtime.block_on(round(candidate, WARM + fleet.process()));
    thread::sleep(Duration::from_millis(500));
    let (mut runs, mut lates) = (Vec::new(), Vec::new());
    for id in 0..rounds {
        fleet.together(&format!("start-{id}"));
        let last = runtime.block_on(round(candidate, id));
        let loads = origin::loads_of(id);
        let ended = loads.iter().filter_map(|load| load.ended).min();
        let ended = ended.map_or(u128::MAX, |ended| fleet::moment(ended).as_nanos());
        let mine = format!("{} {ended} {}", loads.len(), last.as_nanos());
        let all = fleet.gather(&format!("end-{id}"), &mine);
        let field = |place| {
            let fields = all.iter().filter_map(move |one| one.split(' ').nth(place));
            fields.filter_map(|text| text.parse::<u128>().ok())
        };
        let ended = field(1).min().expect("this process said one");
        let last = field(2).max().expect("this process said one");
        runs.push(field(0).sum::<u128>() as f64);
        lates.push(last.saturating_sub(ended) as f64 / 1e6);
    }
    Report::new()
        .figure("origin_runs", runs.iter().copied().fold(0.0, f64::max))
        .figure("origin_runs_median", median(runs))
        .figure("latest_ms", lates.iter().copied().fold(0.0, f64::max))
        .figure("last_caller_ms", median(lates))
}

/// When the last caller of this process had its value.
async fn round<C: Candidate>(candidate: C, id: u64) -> Duration {
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
    fleet::moment(answered.into_iter().max().expect("there are a hundred"))
}
