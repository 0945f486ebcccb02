//! The central promise between processes: a read that starts after an eviction completed never returns a value loaded before it.
//!
//! Four processes, each behind a proxy of its own, share a Redis and read and write rows of a database in rounds: a *storm*, in which
//! everybody writes and reads while processes are killed and stopped, the server is killed and stopped, and connections are severed,
//! silenced and delayed; then a *quiet* time, longer than anybody may be without news, in which what the storm left behind is read
//! again and again. Every read is compared with the writes that were complete when it began ([`tests::promise::judge`]).
//!
//! `SEED=…` decides what goes wrong (not what comes of it: the processes are real); `SECONDS=…` is how long it lasts.

mod crew;
mod faults;

use std::sync::Arc;
use std::time::Duration;

use crew::Crew;
use tests::variables::number;
use tokio::time::sleep;

const ROWS: usize = 24;
const SECONDS: u64 = 30;

const STORM: Duration = Duration::from_secs(2);
const QUIET: Duration = Duration::from_millis(3_500);

#[tokio::test(flavor = "multi_thread")]
async fn no_process_reads_what_was_loaded_before_an_eviction() {
    let seed = number("SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("faults from SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let lasts = Duration::from_secs(number("SECONDS").unwrap_or(SECONDS));
    let rounds = lasts.as_secs_f64() / (STORM + QUIET).as_secs_f64();
    let rounds = (rounds as u32).max(1);
    let crew = Arc::new(Crew::start((STORM + QUIET) * rounds).await);
    for round in 1..=rounds {
        println!("round {round}");
        faults::storm(&crew, round, &mut random).await;
        sleep(crew.until_next_storm()).await;
        let (found, summary) = crew.judge();
        if !found.is_empty() {
            println!("{round} rounds, {summary}");
            panic!("SEED={seed}, round {round}: {found:#?}");
        }
    }
    let crew = Arc::into_inner(crew).expect("the faults are over");
    let verdict = crew.end().await;
    println!("{rounds} rounds, {}", verdict.summary());
    let (reads, evictions, refused) = (verdict.reads, verdict.evictions(), verdict.refused());
    let found = verdict.violations;
    assert!(found.is_empty(), "SEED={seed}: {found:#?}");
    let rounds = u64::from(rounds);
    assert!(
        reads > 1_000 * rounds && evictions > 10 * rounds && refused > 0,
        "too little happened to test anything"
    );
}
