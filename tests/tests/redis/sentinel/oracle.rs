//! The promise between processes, across a failover at a time of the test's choosing: every read compared with the evictions that were
//! complete when it began. Failovers at any time, and other faults beside them, are in `tests/tests/processes`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tests::promise::database::Database;
use tests::promise::judge::Judge;
use tests::promise::part::Plan;
use tests::promise::player::Player;
use tests::promise::records::now;
use tests::server::Sentinels;

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
    let plan = Plan::of(all.url(), &database, ROWS, STORM, QUIET, ROUNDS);
    let judge = Arc::new(Mutex::new(Judge::of(ROWS)));
    let mut players = Vec::new();
    for number in 0..PROCESSES {
        players.push(Player::start(number, plan.clone(), &judge).await);
    }
    let started = Duration::from_nanos(now() - plan.begin);
    tokio::time::sleep(GOES.saturating_sub(started)).await;
    happens(&all).await;
    for player in &mut players {
        player.end().await;
    }
    let mut judge = judge.lock().expect("no holder panics");
    judge.judge_all();
    println!("{}", judge.summary());
    assert!(judge.violations.is_empty(), "{:#?}", judge.violations);
    assert!(
        judge.reads > 1_000 && judge.evictions() > 50,
        "too little happened"
    );
}
