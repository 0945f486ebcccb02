//! The promise between processes, across failovers: every read compared with the evictions that were complete when it began.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tests::fleet::Fleet;
use tests::promise::database::Database;
use tests::promise::judge::Judge;
use tests::promise::part::{BATCH, Left, Plan};
use tests::promise::records::now;
use tests::server::Sentinels;
use tokio::task::JoinSet;

const PROCESSES: usize = 3;
const ROWS: usize = 24;
/// Everybody writes and reads, and the primary goes. The storm ends while there is none, so that nothing evicts again what was evicted then; what it
/// left behind is read, for longer than anybody may be without news. Then the same without a failover.
const STORM: Duration = Duration::from_millis(2_500);
const QUIET: Duration = Duration::from_millis(5_500);
const ROUNDS: u32 = 2;
const GOES: Duration = Duration::from_millis(1_500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_process_reads_what_was_evicted_before_or_after_the_primary_was_killed() {
    judged(async |all| {
        let old = all.primary().await;
        old.kill();
        all.primary_other_than(old).await;
    })
    .await;
}

/// The old primary comes back with what it had, and with commands that were on their way to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_process_reads_what_was_evicted_before_or_after_the_primary_was_stopped() {
    judged(async |all| {
        let old = all.primary().await;
        old.stop();
        all.primary_other_than(old).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        old.cont();
    })
    .await;
}

async fn judged(happens: impl AsyncFnOnce(&Sentinels)) {
    let all = Sentinels::start().await;
    let database = Database::start(ROWS).await;
    let begin = now();
    let plan = Plan {
        url: all.url(),
        database: database.addr(),
        rows: ROWS,
        begin,
        storm: nanoseconds(STORM),
        quiet: nanoseconds(QUIET),
        end: begin + nanoseconds((STORM + QUIET) * ROUNDS),
    };
    let fleet = Arc::new(Fleet::builder().spawn(PROCESSES).await);
    let judge = Arc::new(Mutex::new(Judge::of(ROWS)));
    let (mut parts, mut listeners) = (JoinSet::new(), JoinSet::new());
    for number in 0..PROCESSES {
        let (playing, plan) = (Arc::clone(&fleet), plan.clone());
        parts.spawn(async move {
            let within = (STORM + QUIET) * ROUNDS + Duration::from_secs(40);
            let worker = playing.worker(number);
            worker.ask_within(within, "promise", json!(plan)).await
        });
        let (telling, judge) = (Arc::clone(&fleet), Arc::clone(&judge));
        listeners.spawn(async move {
            while let Ok(batch) = telling.worker(number).event(BATCH).await {
                let batch = serde_json::from_value(batch).expect("a process tells batches");
                judge.lock().expect("no holder panics").hear(number, batch);
            }
        });
    }
    tokio::time::sleep(GOES).await;
    happens(&all).await;
    while let Some(part) = parts.join_next().await {
        let left = part.expect("asking does not panic");
        let left = left.unwrap_or_else(|error| panic!("a process: {error}"));
        assert_eq!(left, json!(Left::default()), "nothing is left undelivered");
    }
    for number in 0..PROCESSES {
        fleet.worker(number).kill().await;
    }
    listeners.join_all().await;
    let mut judge = judge.lock().expect("no holder panics");
    judge.judge_all();
    println!("{}", judge.summary());
    assert!(judge.violations.is_empty(), "{:#?}", judge.violations);
    assert!(
        judge.reads > 1_000 && judge.evictions() > 50,
        "too little happened"
    );
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).expect("centuries fit")
}
