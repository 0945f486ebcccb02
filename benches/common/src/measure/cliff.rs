//! What callers notice of a hot key's expiry: many tasks in several processes ask for one key, whose ttl runs out again and again.
//!
//! A task sleeps for a millisecond between two calls. In a loop without a pause a call would be late whenever the system takes the core away from it, whatever the
//! cache does.

use crate::candidate::Candidate;
use crate::fleet::Fleet;
use crate::latencies::Latencies;
use crate::origin;
use crate::product::Value;
use crate::report::Report;
use crate::run::Parameters;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

const TASKS: usize = 64;
const PAUSE: Duration = Duration::from_millis(1);
/// The first load, and all that is there only once.
const WARM: Duration = Duration::from_secs(1);
const LATE: Duration = Duration::from_millis(10);
const KEY: u64 = 7;

pub(crate) fn measure<C: Candidate>(
    runtime: &Runtime,
    candidate: C,
    parameters: &Parameters,
) -> Report {
    let fleet = Fleet::of(parameters);
    let time = Duration::from_secs(if parameters.quick() { 4 } else { 10 });
    // A connection, by another key.
    runtime.block_on(async { candidate.slow(KEY + 1 + fleet.process()).await });
    fleet.together("start");
    let (late, latencies) = runtime.block_on(all(candidate, time));
    let runs = origin::loads_of(KEY).len();
    let told = fleet.gather("end", &format!("{runs}/{late}/{}", latencies.told()));
    let (mut runs, mut late, mut all) = (0, 0, Latencies::default());
    for one in &told {
        let mut fields = one.split('/');
        let mut field = || fields.next().expect("each process says three things");
        runs += field().parse::<u64>().expect("runs are a number");
        late += field().parse::<u64>().expect("late calls are a number");
        all.join(&Latencies::read(field()).expect("they are written as they are read"));
    }
    Report::new()
        .figure("late", late as f64)
        .figure("p50_us", all.quantile(0.5) / 1e3)
        .figure("p999_us", all.quantile(0.999) / 1e3)
        .figure("most_ms", all.most() / 1e6)
        .figure("origin_runs", runs as f64)
        .figure("calls", all.count() as f64)
}

/// Late calls, and all of them, after the first second.
async fn all<C: Candidate>(candidate: C, time: Duration) -> (u64, Latencies) {
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..TASKS {
        tasks.spawn(async move {
            let (mut late, mut latencies) = (0, Latencies::default());
            while start.elapsed() < time {
                let began = Instant::now();
                assert_eq!(candidate.slow(KEY).await.number(), KEY);
                let took = began.elapsed();
                if began - start >= WARM {
                    late += u64::from(took > LATE);
                    latencies.add(took);
                }
                tokio::time::sleep(PAUSE).await;
            }
            (late, latencies)
        });
    }
    let (mut late, mut all) = (0, Latencies::default());
    for (few, latencies) in tasks.join_all().await {
        late += few;
        all.join(&latencies);
    }
    (late, all)
}
