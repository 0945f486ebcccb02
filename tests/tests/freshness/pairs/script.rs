//! What happens to a pair: two minutes of calls.

use std::collections::HashSet;
use std::time::Duration;

use cache_runtime::testing::ModelRedis;
use cache_runtime::{Cache, Evict, Key, Policy, Served};
use tests::caches::{assert_nothing_left, build, builder};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::judge::judge;
use super::options::{Ask, Pair};
use super::record::{Answered, Call, Changed, Log, Process, Way};
use crate::origin::{MILLI, SECOND};

/// What happens to the keys, five times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Nothing,
    EvictKey,
    EvictTag,
    Expire,
}

const TICK: Duration = Duration::from_millis(100);
const TICKS: u64 = 1_100;
/// From here to there the origin is not what it should be.
const TROUBLE: std::ops::Range<u64> = 120..700;
const EVENTS: [u64; 5] = [132, 249, 361, 477, 753];
/// A key, and every how many ticks it is asked for. The last is past its ttl each time.
const KEYS: [(u64, u64); 3] = [(0, 5), (1, 31), (2, 170)];

/// Plays it and has it judged; how calls were served.
pub(super) fn play(pair: &Pair, way: Way, event: Event, processes: usize) -> HashSet<Served> {
    let about = format!(
        "{:?}, {way:?}, {event:?}, {processes} processes",
        pair.options
    );
    fastrand::seed(7);
    let log = Log::default();
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime")
        .block_on(run(pair, way, event, processes, &log, &about));
    let notes = log.notes();
    judge(pair, &notes, &about);
    let served = notes.calls.iter().filter_map(|call| match call.answered {
        Answered::With(_, served) => served,
        Answered::Panicked => None,
    });
    served.collect()
}

async fn run(pair: &Pair, way: Way, event: Event, processes: usize, log: &Log, about: &str) {
    let processes = caches(processes).await.map(|cache| Process {
        cache,
        log: log.clone(),
    });
    let processes: Vec<_> = processes.collect();
    let mut calls = JoinSet::new();
    for tick in 0..TICKS {
        let of_tick = if TROUBLE.contains(&tick) {
            way
        } else {
            Way::Fine
        };
        log.notes().way = of_tick;
        if EVENTS.contains(&tick) {
            happen(event, &processes[0]).await;
        }
        for (key, every) in KEYS {
            if tick % every == 0 {
                let process = &processes[(tick / every) as usize % processes.len()];
                calls.spawn(call(pair.ask, process.clone(), key));
            }
        }
        sleep(TICK).await;
    }
    while let Some(done) = calls.join_next().await {
        done.expect("a call that panics is noted");
    }
    end(&processes, log, about).await;
}

async fn caches(processes: usize) -> impl Iterator<Item = Cache> {
    let model = ModelRedis::new();
    let mut caches = Vec::new();
    for _ in 0..processes {
        let cache = if processes == 1 {
            build(builder().tokio_clock())
        } else {
            let defaults = Policy::new().jitter(0.0);
            let builder = Cache::builder("pairs").defaults(defaults);
            build(builder.model_redis(&model).tokio_clock())
        };
        cache.ready(SECOND).await.expect("the model is there");
        caches.push(cache);
    }
    caches.into_iter()
}

async fn call(ask: Ask, process: Process, key: u64) {
    let log = process.log.clone();
    let begun = log.now();
    let answered = match tokio::spawn(ask(process, key)).await {
        Ok((result, served)) => Answered::With(result, served),
        Err(_) => Answered::Panicked,
    };
    let ended = log.now();
    log.notes().calls.push(Call {
        key,
        begun,
        ended,
        answered,
    });
}

async fn happen(event: Event, process: &Process) {
    let Process { cache, log } = process;
    let begun = log.now();
    for (key, _) in KEYS {
        let done = match event {
            Event::Nothing => return,
            Event::EvictKey => cache.evict(Key::new(&format!("pairs:{key}"))).await,
            Event::EvictTag => cache.evict(Evict::tag(format!("tag:{key}"))).await,
            Event::Expire => cache.expire(Key::new(&format!("pairs:{key}"))).await,
        };
        done.expect("it is confirmed");
    }
    // The others hear of it.
    sleep(MILLI).await;
    let ended = log.now();
    log.notes().changes.push(Changed {
        begun,
        ended,
        evicts: event != Event::Expire,
    });
}

/// Closes everything: what runs is finished, and nothing begins any more.
async fn end(processes: &[Process], log: &Log, about: &str) {
    for process in processes {
        let unfinished = process.cache.close(10 * SECOND).await;
        assert!(unfinished.is_nothing(), "{about}: {unfinished:?}");
    }
    let loads = log.notes().loads.len();
    sleep(120 * SECOND).await;
    let notes = log.notes();
    assert_eq!(
        notes.loads.len(),
        loads,
        "{about}: a load after the cache was closed"
    );
    assert!(
        notes.loads.iter().all(|load| load.ended.is_some()),
        "{about}: a load that has not ended"
    );
    for process in processes {
        assert_nothing_left(&process.cache);
    }
}
