//! The central promise under random interleavings: a read that starts after an eviction completed never returns a value
//! loaded before it.
//!
//! Three processes share a model of Redis whose network delays and reorders, and in half of the schedules loses. Their
//! readers, writers and evictors run on a paused clock, so a schedule is decided by its seed alone; futures are dropped
//! at random moments. Each read is compared with the newest version whose write was complete, for the reader, when the
//! read began. Process 0 has a memory tier; it must see its own evictions at once (those of the others
//! reach its memory with `max_age`). Processes 1 and 2 have none and must see every confirmed eviction of anybody.
//!
//! `SEED=… cargo test --test interleavings -- --nocapture` replays one schedule and tells its story; `SCHEDULES=…` runs more.

mod calls;
mod world;

use std::{env, rc::Rc, time::Duration};

use cache_runtime::testing::{Faults, ModelRedis, leftovers};
use tokio::{task::LocalSet, time::sleep};

use calls::{reader, writer};
use world::World;

const KEYS: usize = 2;
const PROCESSES: usize = 3;
const SCHEDULES: u64 = 100_000;

struct Verdict {
    reads: u64,
    refused: u64,
    violations: Vec<String>,
}

async fn schedule() -> Verdict {
    let longest = Duration::from_millis(10);
    let redis = ModelRedis::new();
    let lossy = fastrand::bool();
    let share = if lossy { 0.1 * fastrand::f64() } else { 0.0 };
    redis.set_faults(Faults {
        delay: longest / 2,
        lost: share,
        unanswered: share,
    });
    let world = World::new(&redis, longest);
    let mut tasks = Vec::new();
    for _ in 0..fastrand::usize(4..24) {
        let world = Rc::clone(&world);
        let (process, row) = (fastrand::usize(..PROCESSES), fastrand::usize(..KEYS));
        let writes = fastrand::u8(..3) == 0;
        let start = longest.mul_f64(6.0 * fastrand::f64());
        tasks.push(tokio::task::spawn_local(async move {
            sleep(start).await;
            if writes {
                writer(world, process, row, lossy).await;
            } else {
                reader(world, process, row).await;
            }
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
    Verdict {
        reads: world.reads.get(),
        refused,
        violations,
    }
}

/// The network is good again, and nobody calls: journals are delivered and leases given back or run out.
async fn settle(world: &World, redis: &ModelRedis) {
    redis.set_faults(Faults {
        delay: world.longest / 4,
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

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is a number, not `{text}`")),
    )
}

#[test]
fn no_read_after_an_eviction_returns_what_was_loaded_before_it() {
    let first = number("SEED").unwrap_or_else(|| fastrand::u64(..u64::MAX / 2));
    let schedules = match number("SEED") {
        Some(_) => 1,
        None => number("SCHEDULES").unwrap_or(SCHEDULES),
    };
    println!("{schedules} schedules from SEED={first}");
    let threads = std::thread::available_parallelism()
        .map_or(2, usize::from)
        .min(4) as u64;
    let (mut reads, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        let part = |thread: u64| {
            move || {
                let (mut reads, mut refused) = (0, 0);
                for seed in (first + thread..first + schedules).step_by(threads as usize) {
                    let verdict = run(seed);
                    assert!(
                        verdict.violations.is_empty(),
                        "SEED={seed}: {:#?}",
                        verdict.violations
                    );
                    reads += verdict.reads;
                    refused += verdict.refused;
                }
                (reads, refused)
            }
        };
        let workers: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(part(thread)))
            .collect();
        for worker in workers {
            let (more_reads, more_refused) =
                worker.join().expect("a violation was found, see above");
            reads += more_reads;
            refused += more_refused;
        }
    });
    println!("{reads} reads, {refused} refused stores, 0 violations");
    assert!(
        schedules < 1_000 || refused > 0,
        "no store was ever refused: the schedules test nothing"
    );
}
