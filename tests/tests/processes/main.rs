//! The central promise between processes: a read that starts after an eviction completed never returns a value loaded before it.
//!
//! Four processes share a Redis and read and write rows of a database in rounds: a *storm*, in which everybody writes and reads while
//! processes are killed and stopped, servers are killed, stopped and replaced, slots move, and connections are severed, silenced and
//! delayed; then a *quiet* time, longer than anybody may be without news, in which what the storm left behind is read
//! again and again. Every read is compared with the writes that were complete when it began ([`tests::promise::judge`]).
//!
//! What the processes share, and with it what goes wrong ([`servers::Shape`]), is a test each. `SEED=…` decides when (not what comes of
//! it: the processes are real); `SECONDS=…` is how long it lasts.

mod crew;
mod faults;
mod servers;
mod trouble;

use std::sync::Arc;

use crew::Crew;
use servers::Shape;
use tests::variables::number;
use tokio::sync::Mutex;
use tokio::time::sleep;

const ROWS: usize = 24;

/// One after the other: each is a dozen processes that have to be in time.
static ALONE: Mutex<()> = Mutex::const_new(());

#[tokio::test(flavor = "multi_thread")]
async fn standalone_nobody_reads_what_was_loaded_before_an_eviction() {
    nobody_reads_what_is_old(Shape::Standalone).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn proxy_nobody_reads_what_was_loaded_before_an_eviction() {
    nobody_reads_what_is_old(Shape::Proxy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sentinel_nobody_reads_what_was_loaded_before_an_eviction() {
    nobody_reads_what_is_old(Shape::Sentinel).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cluster_nobody_reads_what_was_loaded_before_an_eviction() {
    nobody_reads_what_is_old(Shape::Cluster).await;
}

async fn nobody_reads_what_is_old(shape: Shape) {
    let _alone = ALONE.lock().await;
    let seed = number("SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("{shape:?}, faults from SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let seconds = number("SECONDS").unwrap_or(shape.seconds()) as f64;
    let rounds = (seconds / (shape.storm() + shape.quiet()).as_secs_f64()) as u32;
    let crew = Arc::new(Crew::start(shape, rounds.max(1)).await);
    let mut round = 0;
    loop {
        round += 1;
        println!("round {round}");
        faults::storm(&crew, round, &mut random).await;
        let next = crew.until_next_storm();
        sleep(next.unwrap_or_default()).await;
        let (found, summary) = crew.judge();
        if !found.is_empty() {
            println!("{round} rounds, {summary}");
            panic!("SEED={seed}, round {round}: {found:#?}");
        }
        if next.is_none() {
            break;
        }
    }
    let crew = Arc::into_inner(crew).expect("the faults are over");
    let verdict = crew.end().await;
    println!("{round} rounds, {}", verdict.summary());
    let (reads, evictions, refused) = (verdict.reads, verdict.evictions(), verdict.refused());
    let found = verdict.violations;
    assert!(found.is_empty(), "SEED={seed}: {found:#?}");
    let rounds = u64::from(round);
    assert!(
        reads > 1_000 * rounds && evictions > 10 * rounds && refused > 0,
        "too little happened to test anything"
    );
}
