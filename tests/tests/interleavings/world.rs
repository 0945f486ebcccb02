//! One schedule's database and fleet, and what its readers may still see.

use std::{
    cell::{Cell, RefCell},
    env,
    rc::Rc,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use cache_runtime::{Cache, Memory, testing::ModelRedis};
use tests::promise::{FAMILIES, Family, Reach, Rows, Write};
use tokio::time::{Instant, sleep};

use crate::{KEYS, PROCESSES};

/// The oldest versions a read may return.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Floor {
    /// If it has shared another caller's load: that caller may not have heard yet.
    shared: u64,
    /// If it has not.
    alone: u64,
}

impl Floor {
    pub(crate) fn of(self, shared: bool) -> u64 {
        if shared { self.shared } else { self.alone }
    }
}

/// A write that is complete for a process, from these moments on.
struct Complete {
    version: u64,
    shared_from: Instant,
    alone_from: Instant,
}

/// One schedule's database, fleet and bookkeeping.
pub(crate) struct World {
    ttl: Duration,
    pub(crate) longest: Duration,
    rows: [Cell<u64>; KEYS],
    pub(crate) caches: Vec<Cache>,
    /// Whether processes hear of each other.
    pub(crate) bus: bool,
    /// Whether all families are read.
    pub(crate) of_all: bool,
    /// Per process, family and key.
    complete: RefCell<[[[Vec<Complete>; KEYS]; FAMILIES]; PROCESSES]>,
    /// Every journal is empty and every message has arrived: what is complete for one is complete for all.
    settled: Cell<bool>,
    pub(crate) reads: Cell<u64>,
    pub(crate) evictions: Cell<u64>,
    pub(crate) violations: RefCell<Vec<String>>,
    /// Tell the story of the schedule.
    told: bool,
    began: Instant,
}

impl World {
    pub(crate) fn new(redis: &ModelRedis, longest: Duration, bus: bool) -> Rc<Self> {
        let caches = (0..PROCESSES).map(|process| {
            let builder = Cache::builder("model")
                .model_redis(redis)
                .tokio_clock()
                .redis_budget(longest * 3 / 2)
                .evict_deadline(longest * 3 / 2);
            let builder = if has_memory(process) {
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
            bus,
            of_all: fastrand::u8(..3) == 0,
            complete: RefCell::default(),
            settled: Cell::new(false),
            reads: Cell::new(0),
            evictions: Cell::new(0),
            violations: RefCell::default(),
            told: env::var_os("SEED").is_some(),
            began: Instant::now(),
        })
    }

    async fn pause(&self) {
        sleep(self.longest.mul_f64(fastrand::f64())).await;
    }

    /// What a read that starts now may return at least.
    pub(crate) fn floor(&self, process: usize, family: Family, row: usize) -> Floor {
        let (now, complete) = (Instant::now(), self.complete.borrow());
        if self.settled.get() {
            let all = complete.iter().flat_map(|of| &of[family as usize][row]);
            let newest = all.map(|write| write.version).max().unwrap_or(0);
            return Floor {
                shared: newest,
                alone: newest,
            };
        }
        let all = &complete[process][family as usize][row];
        let newest = |from: fn(&Complete) -> Instant| {
            let due = all.iter().filter(|write| from(write) <= now);
            due.map(|write| write.version).max().unwrap_or(0)
        };
        Floor {
            shared: newest(|write| write.shared_from),
            alone: newest(|write| write.alone_from),
        }
    }

    /// From now on every write is complete for everybody, dropped and refused ones too.
    pub(crate) fn settled(&self) {
        self.settled.set(true);
    }

    /// A write is complete: for its own process at once, for the others, if Redis confirmed it, when they have heard.
    pub(crate) fn complete(&self, process: usize, row: usize, write: &Write, confirmed: bool) {
        self.tell(format_args!(
            "process {process} has written row {row}: {write:?}, confirmed: {confirmed}"
        ));
        let (now, version) = (Instant::now(), write.version);
        let mut complete = self.complete.borrow_mut();
        for reach in write.reach {
            for (other, complete) in complete.iter_mut().enumerate() {
                let write = if other == process {
                    Complete {
                        version,
                        shared_from: now,
                        alone_from: now,
                    }
                } else if confirmed {
                    self.elsewhere(version, other, *reach, now)
                } else {
                    continue;
                };
                complete[reach.family() as usize][row].push(write);
            }
        }
    }

    fn elsewhere(&self, version: u64, process: usize, reach: Reach, now: Instant) -> Complete {
        // A message is under way for at most twice the delay of the network, which is half of `longest`.
        let heard = now + self.longest * 5 / 4;
        let without_bus = now + Duration::from_secs(1);
        let from = |at_once: bool| match (at_once, has_memory(process), self.bus) {
            (true, false, _) | (false, false, false) => now,
            (_, true, false) => without_bus,
            (_, _, true) => heard,
        };
        Complete {
            version,
            shared_from: from(false),
            alone_from: from(matches!(reach, Reach::Key(_))),
        }
    }
}

impl Rows for World {
    fn ttl(&self, _: usize) -> Duration {
        self.ttl
    }

    fn longest(&self) -> Duration {
        self.longest
    }

    async fn load(&self, row: usize) -> Result<u64, String> {
        self.pause().await;
        let version = self.rows[row].get();
        self.tell(format_args!("a load sees {version} in row {row}"));
        self.pause().await;
        if fastrand::u8(..16) == 0 {
            Err("the origin failed".to_owned())
        } else {
            Ok(version)
        }
    }

    async fn commit(&self, row: usize, version: &AtomicU64) {
        self.pause().await;
        let changed = self.rows[row].get() + 1;
        self.rows[row].set(changed);
        version.store(changed, Ordering::SeqCst);
        self.tell(format_args!("row {row} is now {changed}"));
        self.pause().await;
    }

    fn tell(&self, what: impl std::fmt::Display) {
        if self.told {
            println!(
                "{:8.1} ms  {what}",
                self.began.elapsed().as_secs_f64() * 1_000.0
            );
        }
    }
}

fn has_memory(process: usize) -> bool {
    process < 2
}
