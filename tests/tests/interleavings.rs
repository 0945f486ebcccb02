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

use std::{
    cell::{Cell, RefCell},
    env,
    future::Future,
    rc::Rc,
    time::Duration,
};

use cache_runtime::{
    Cache, Evict, Memory, Served, cache_evict, cache_put, cacheable, key, refresh,
    testing::{Faults, ModelRedis, leftovers},
    traced,
};
use tokio::{task::LocalSet, time::sleep};

const KEYS: usize = 2;
const PROCESSES: usize = 3;
const SCHEDULES: u64 = 100_000;

/// One schedule's database, fleet and bookkeeping.
struct World {
    ttl: Duration,
    longest: Duration,
    rows: [Cell<u64>; KEYS],
    caches: Vec<Cache>,
    /// Per process and key: the newest version whose write is complete for it.
    floors: RefCell<[[u64; KEYS]; PROCESSES]>,
    /// The same, of its own writes only.
    own_floors: RefCell<[[u64; KEYS]; PROCESSES]>,
    reads: Cell<u64>,
    violations: RefCell<Vec<String>>,
    /// Tell the story of the schedule.
    told: bool,
    began: tokio::time::Instant,
}

impl World {
    fn tell(&self, what: impl std::fmt::Display) {
        if self.told {
            println!(
                "{:8.1} ms  {what}",
                self.began.elapsed().as_secs_f64() * 1_000.0
            );
        }
    }

    fn new(redis: &ModelRedis, longest: Duration) -> Rc<Self> {
        let caches = (0..PROCESSES).map(|process| {
            let builder = Cache::builder("model")
                .model_redis(redis)
                .tokio_clock()
                .redis_budget(longest * 3 / 2)
                .evict_deadline(longest * 3 / 2);
            let builder = if process == 0 {
                builder.memory(Memory::new().max_entries(100))
            } else {
                builder.no_memory()
            };
            builder.build().expect("a valid configuration")
        });
        Rc::new(Self {
            ttl: if fastrand::u8(..4) == 0 {
                longest * 3
            } else {
                Duration::from_secs(600)
            },
            longest,
            rows: Default::default(),
            caches: caches.collect(),
            floors: RefCell::default(),
            own_floors: RefCell::default(),
            reads: Cell::new(0),
            violations: RefCell::default(),
            told: env::var_os("SEED").is_some(),
            began: tokio::time::Instant::now(),
        })
    }

    async fn pause(&self) {
        sleep(self.longest.mul_f64(fastrand::f64())).await;
    }

    fn commit(&self, row: usize) -> u64 {
        self.rows[row].set(self.rows[row].get() + 1);
        self.tell(format_args!("row {row} is now {}", self.rows[row].get()));
        self.rows[row].get()
    }

    /// A write of `version` is complete for `process`, and for the processes without memory if Redis confirmed it.
    fn complete(&self, process: usize, row: usize, version: u64, confirmed: bool) {
        self.tell(format_args!(
            "process {process} has written {version} to row {row}, confirmed: {confirmed}"
        ));
        let own = &mut self.own_floors.borrow_mut()[process][row];
        *own = version.max(*own);
        let mut floors = self.floors.borrow_mut();
        for (other, floor) in floors.iter_mut().enumerate() {
            if other == process || (confirmed && other != 0) {
                floor[row] = floor[row].max(version);
            }
        }
    }
}

#[cacheable(key = "row:{row}", ttl = world.ttl, stampede_protection = "fleet", wait_timeout = "1s")]
async fn read_fleet(world: &World, row: usize) -> Result<u64, String> {
    load(world, row).await
}

#[cacheable(key = "row:{row}", ttl = world.ttl, jitter = 0.0, wait_timeout = "20ms")]
async fn read_process(world: &World, row: usize) -> Result<u64, String> {
    load(world, row).await
}

#[cacheable(key = "row:{row}", stampede_protection = "off")]
async fn read_off(world: &World, row: usize) -> Result<u64, String> {
    load(world, row).await
}

async fn load(world: &World, row: usize) -> Result<u64, String> {
    world.pause().await;
    let version = world.rows[row].get();
    world.tell(format_args!("a load sees {version} in row {row}"));
    world.pause().await;
    if fastrand::u8(..16) == 0 {
        Err("the origin failed".to_owned())
    } else {
        Ok(version)
    }
}

#[cache_evict(key = "row:{row}")]
async fn write(world: &World, row: usize, committed: &Cell<u64>) {
    world.pause().await;
    committed.set(world.commit(row));
    world.pause().await;
}

#[cache_put(key = "row:{row}", ttl = world.ttl)]
async fn put(world: &World, row: usize, committed: &Cell<u64>) -> Result<u64, String> {
    world.pause().await;
    committed.set(world.commit(row));
    world.pause().await;
    if fastrand::u8(..8) == 0 {
        return Err("the write is reported as failed".to_owned());
    }
    Ok(committed.get())
}

async fn reader(world: Rc<World>, process: usize, row: usize) {
    let cache = &world.caches[process];
    let floor = world.floors.borrow()[process][row];
    let own_floor = world.own_floors.borrow()[process][row];
    let how = fastrand::u8(..8);
    world.tell(format_args!(
        "process {process} reads row {row} (kind {how}), at least {floor}"
    ));
    let read = async {
        match how {
            0..4 => read_fleet(&world, row).await,
            4..6 => read_process(&world, row).await,
            6 => read_off(&world, row).await,
            _ => refresh(read_fleet(&world, row)).await,
        }
    };
    let (value, served) = dropped_sometimes(&world, cache.as_current(traced(read)))
        .await
        .unzip();
    let served = served.flatten();
    world.tell(format_args!(
        "process {process} has read {value:?} from row {row}: {served:?}"
    ));
    world.reads.set(world.reads.get() + 1);
    // Without a bus, a caller that joins a load may get what another process has just evicted.
    let floor = if served == Some(Served::Shared) {
        own_floor
    } else {
        floor
    };
    if let Some(Ok(version)) = value {
        if version < floor {
            let text = format!("process {process}, row {row}: {version} read after {floor}");
            world.violations.borrow_mut().push(text);
        }
    }
}

async fn writer(world: Rc<World>, process: usize, row: usize, lossy: bool) {
    let cache = &world.caches[process];
    let committed = Cell::new(0);
    let how = fastrand::u8(..6);
    world.tell(format_args!(
        "process {process} writes row {row} (kind {how})"
    ));
    match how {
        0 | 1 => {
            let write = cache.as_current(write(&world, row, &committed));
            let done = dropped_sometimes(&world, write).await.is_some();
            // Dropped or not, the eviction is done in this process; the attribute does not say what Redis did.
            world.complete(process, row, committed.get(), done && !lossy);
        }
        2 | 3 => {
            let put = cache.as_current(put(&world, row, &committed));
            let done = dropped_sometimes(&world, put).await.is_some();
            world.complete(process, row, committed.get(), done && !lossy);
        }
        _ => evict(&world, process, row).await,
    }
}

async fn evict(world: &World, process: usize, row: usize) {
    let cache = &world.caches[process];
    let version = world.commit(row);
    let what = match fastrand::u8(..4) {
        0 | 1 => Evict::key(key!("row:{row}")),
        2 => Evict::pattern("row:*"),
        _ => Evict::all(),
    };
    if let Some(result) = dropped_sometimes(world, cache.evict(what)).await {
        world.complete(process, row, version, result.is_ok());
    }
}

/// The future's output, or `None` if it was dropped before its end.
async fn dropped_sometimes<F: Future>(world: &World, future: F) -> Option<F::Output> {
    if fastrand::u8(..6) > 0 {
        return Some(future.await);
    }
    let patience = world.longest.mul_f64(4.0 * fastrand::f64());
    tokio::time::timeout(patience, future).await.ok()
}

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
