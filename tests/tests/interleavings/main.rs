//! The central promise under random interleavings: a read that starts after an eviction completed never returns a value
//! loaded before it.
//!
//! Three processes share a model of Redis whose network delays and reorders, and in half of the schedules loses; whose
//! bus breaks in some and is missing in some; and whose server now and then loses a generation, its registry, its clock, or everything. Their
//! readers, writers and evictors run on a paused clock, so a schedule is decided by its seed alone; futures are dropped
//! at random moments. Each read is compared with the newest version whose write was complete, for the reader, when the
//! read began: in the process that evicted at once; in the others, if Redis confirmed it, as soon as the message has had time to arrive,
//! and at once where neither memory nor a known generation stands between. When all is over and no journal holds anything, every write is
//! complete for everybody, whether Redis refused it at first or its future was dropped. Processes 0 and 1 have a memory tier, 2 has none.
//!
//! In one schedule of three, functions that refresh in the background, serve stale values and give up stand beside the others, on the same entries; ttls end and
//! origins fail. What was only expired may then be served older, but as stale; and nothing is served past its ttl that is not told to be
//! stale, nothing past its window, and no load is told of a value that was evicted.
//!
//! `SEED=… cargo test --test interleavings -- --nocapture` replays one schedule and tells its story; `SCHEDULES=…` runs more,
//! `SECONDS=…` as many as that time allows, `FIRST_SEED=…` from there.

mod calls;
mod world;

use std::{
    rc::Rc,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use cache_runtime::testing::{Faults, ModelRedis, leftovers};
use tests::variables::number;
use tokio::{task::LocalSet, time::sleep};

use calls::{reader, writer};
use world::World;

const KEYS: usize = 2;
const PROCESSES: usize = 3;
/// A minute or two of two cores.
const SCHEDULES: u64 = if cfg!(debug_assertions) {
    25_000
} else {
    100_000
};

struct Verdict {
    reads: u64,
    refused: u64,
    evictions: u64,
    /// Reads that were answered with a value past its ttl.
    stale: u64,
    /// Loads in the background.
    refreshes: u64,
    violations: Vec<String>,
}

async fn schedule() -> Verdict {
    let longest = Duration::from_millis(10);
    let redis = ModelRedis::new();
    let lossy = fastrand::bool();
    let share = if lossy { 0.1 * fastrand::f64() } else { 0.0 };
    let no_bus = fastrand::u8(..6) == 0;
    let severed = if fastrand::bool() { 0.2 } else { 0.0 };
    let faults = Faults {
        delay: longest / 2,
        lost: share,
        unanswered: share,
        severed,
        outage: if fastrand::u8(..4) > 0 {
            longest * 10
        } else {
            Duration::ZERO
        },
        no_bus,
    };
    redis.set_faults(Faults {
        no_bus,
        ..Faults::default()
    });
    let lossy_server = fastrand::u8(..3) == 0;
    let breaks = severed > 0.0 || lossy_server;
    let world = World::new(&redis, longest, !no_bus, breaks);
    for cache in world.caches.iter().filter(|_| fastrand::bool()) {
        let ready = cache.ready(Duration::from_secs(1)).await;
        ready.expect("the model is up, and knows whether it has a bus");
    }
    redis.set_faults(faults);
    let mut tasks = Vec::new();
    for _ in 0..fastrand::usize(4..24) {
        let world = Rc::clone(&world);
        let (process, row) = (fastrand::usize(..PROCESSES), fastrand::usize(..KEYS));
        // Where nobody evicts, values grow old.
        let writes = fastrand::u8(..if world.fresh { 5 } else { 3 }) == 0;
        let start = longest.mul_f64(world.lasts * fastrand::f64());
        tasks.push(tokio::task::spawn_local(async move {
            sleep(start).await;
            if writes {
                writer(world, process, row, lossy).await;
            } else {
                reader(world, process, row).await;
            }
        }));
    }
    if lossy_server {
        let (redis, at) = (redis.clone(), longest.mul_f64(6.0 * fastrand::f64()));
        tasks.push(tokio::task::spawn_local(async move {
            sleep(at).await;
            lose_something(&redis);
        }));
    }
    for task in tasks {
        task.await.expect("no reader and no writer panics");
    }
    settle(&world, &redis).await;
    let mut violations = world.violations.take();
    for process in 0..PROCESSES {
        for row in 0..KEYS {
            reader(Rc::clone(&world), process, row).await;
        }
    }
    if world.fresh {
        // What the last reads have begun ends without them; where a dropped read's release overtook its request, when that lease has run out.
        sleep(Duration::from_secs(5)).await;
    }
    violations.append(&mut world.violations.take());
    let left: Vec<_> = world.caches.iter().map(leftovers).collect();
    if left.iter().any(|left| *left != Default::default()) {
        violations.push(format!("left behind: {left:?}"));
    }
    let refused = world
        .caches
        .iter()
        .map(|cache| cache.stats().total.refused_stores)
        .sum();
    let refreshes = world
        .caches
        .iter()
        .map(|cache| cache.stats().total.refreshes)
        .sum();
    Verdict {
        reads: world.reads.get(),
        evictions: world.evictions.get(),
        stale: world.stale.get(),
        refreshes,
        refused,
        violations,
    }
}

/// What happens to servers.
fn lose_something(redis: &ModelRedis) {
    match fastrand::u8(..6) {
        0 => redis.flush(),
        1 => redis.lose_tag("t:0"),
        2 => redis.lose_registry(),
        3 => redis.lose_clock(),
        4 => redis.sever(),
        _ => redis.reconnect(),
    }
}

/// The network is good again, and nobody calls: journals are delivered and leases given back or run out.
async fn settle(world: &World, redis: &ModelRedis) {
    redis.set_faults(Faults {
        delay: world.longest / 4,
        no_bus: !world.bus,
        ..Faults::default()
    });
    sleep(Duration::from_secs(20)).await;
    if redis.leases() > 0 {
        world
            .violations
            .borrow_mut()
            .push(format!("{} leases left", redis.leases()));
    }
    for cache in &world.caches {
        let queued = cache.health().queued_evictions;
        if queued > 0 {
            world
                .violations
                .borrow_mut()
                .push(format!("{queued} evictions still queued"));
        }
    }
    world.look_at_known();
    world.settled();
}

fn run(seed: u64) -> Verdict {
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without I/O");
    LocalSet::new().block_on(&runtime, schedule())
}

fn add(sum: &mut [u64; 7], more: [u64; 7]) {
    sum.iter_mut()
        .zip(more)
        .for_each(|(sum, more)| *sum += more);
}

#[test]
fn no_read_after_an_eviction_returns_what_was_loaded_before_it() {
    let first = number("SEED").or_else(|| number("FIRST_SEED"));
    let first = first.unwrap_or_else(|| fastrand::u64(..u64::MAX / 2));
    let until = number("SECONDS").map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let schedules = match (number("SEED"), until) {
        (Some(_), _) => 1,
        (None, Some(_)) => u64::MAX / 4,
        (None, None) => number("SCHEDULES").unwrap_or(SCHEDULES),
    };
    // One violation is enough for all threads.
    let violated = AtomicBool::new(false);
    let go_on =
        || !violated.load(Ordering::Relaxed) && until.is_none_or(|until| Instant::now() < until);
    println!("schedules from SEED={first}");
    let threads = std::thread::available_parallelism()
        .map_or(2, usize::from)
        .min(4) as u64;
    let mut sum = [0; 7];
    std::thread::scope(|scope| {
        let (violated, go_on) = (&violated, &go_on);
        let part = |thread: u64| {
            move || {
                let mut sum = [0; 7];
                let seeds = (first + thread..first + schedules).step_by(threads as usize);
                for seed in seeds.take_while(|_| go_on()) {
                    let verdict = run(seed);
                    let found = verdict.violations;
                    if !found.is_empty() {
                        violated.store(true, Ordering::Relaxed);
                        println!("SEED={seed}: {found:#?}");
                    }
                    let found = found.len() as u64;
                    let (reads, evictions) = (verdict.reads, verdict.evictions);
                    let (refused, refreshes) = (verdict.refused, verdict.refreshes);
                    let stale = verdict.stale;
                    add(
                        &mut sum,
                        [1, reads, evictions, refused, stale, refreshes, found],
                    );
                }
                sum
            }
        };
        let workers: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(part(thread)))
            .collect();
        for worker in workers {
            add(&mut sum, worker.join().expect("no schedule panics"));
        }
    });
    let [
        schedules,
        reads,
        evictions,
        refused,
        stale,
        refreshes,
        violations,
    ] = sum;
    println!(
        "{schedules} schedules, {reads} reads, {evictions} evictions, {refused} refused stores, {stale} stale reads, {refreshes} refreshes, {violations} violations"
    );
    assert_eq!(violations, 0, "see above");
    assert!(
        schedules < 1_000 || refused > 0,
        "no store was ever refused: the schedules test nothing"
    );
    assert!(
        schedules < 1_000 || (stale > 0 && refreshes > 0),
        "nothing was ever served past its ttl: the schedules test nothing of that"
    );
}
