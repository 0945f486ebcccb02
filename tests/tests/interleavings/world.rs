//! One schedule's database and fleet, and what its readers may still see.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    env,
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use cache_runtime::{Cache, Memory, Served, testing::ModelRedis};
use tests::promise::{FAMILIES, Family, How, Origin, Reach, Read, Rows, Write};
use tokio::time::{Instant, sleep};

use crate::{KEYS, PROCESSES};

/// The oldest versions a read may return.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Floor {
    /// If it has shared another caller's load: that caller may not have heard yet.
    shared: u64,
    /// If it has not.
    alone: u64,
    /// If it is served as stale: what was expired may be.
    stale: u64,
}

impl Floor {
    pub(crate) fn of(self, served: Option<Served>) -> u64 {
        match served {
            Some(Served::Shared) => self.shared,
            Some(Served::Stale(_)) => self.stale,
            _ => self.alone,
        }
    }
}

/// A write that is complete for a process, from these moments on.
struct Complete {
    version: u64,
    shared_from: Instant,
    alone_from: Instant,
    expired: bool,
    /// By the process itself.
    own: bool,
}

/// The database, as loads reach it that may outlive their calls.
#[derive(Clone)]
pub(crate) struct Database {
    shared: Arc<Shared>,
    process: usize,
}

struct Shared {
    ttl: Duration,
    longest: Duration,
    /// One load of so many fails.
    fails_of: u8,
    rows: [AtomicU64; KEYS],
    /// When a load or a write last brought this version of a row.
    brought: Mutex<HashMap<(usize, u64), Instant>>,
    /// What loads were told that they replace.
    knew: Mutex<Vec<Knew>>,
    /// Tell the story of the schedule.
    told: bool,
    began: Instant,
}

/// A load of a process was told of a version, at a moment.
struct Knew {
    process: usize,
    family: Family,
    row: usize,
    version: u64,
    at: Instant,
}

/// The rows, as one process reaches them.
pub(crate) struct By<'a> {
    world: &'a World,
    process: usize,
}

/// Clocks count milliseconds.
const BLUR: Duration = Duration::from_millis(3);

/// One schedule's database, fleet and bookkeeping.
pub(crate) struct World {
    database: Arc<Shared>,
    pub(crate) longest: Duration,
    /// Whether functions that refresh, serve stale and give up are called.
    pub(crate) fresh: bool,
    /// For so long calls begin, in multiples of the longest pause.
    pub(crate) lasts: f64,
    pub(crate) caches: Vec<Cache>,
    /// Whether processes hear of each other.
    pub(crate) bus: bool,
    /// And no subscription breaks.
    hears_all: bool,
    /// Whether all families are read.
    pub(crate) of_all: bool,
    /// Per process, family and key.
    complete: RefCell<[[[Vec<Complete>; KEYS]; FAMILIES]; PROCESSES]>,
    /// Every journal is empty and every message has arrived: what is complete for one is complete for all.
    settled: Cell<bool>,
    pub(crate) reads: Cell<u64>,
    pub(crate) evictions: Cell<u64>,
    pub(crate) stale: Cell<u64>,
    pub(crate) violations: RefCell<Vec<String>>,
}

impl World {
    pub(crate) fn new(redis: &ModelRedis, longest: Duration, bus: bool, breaks: bool) -> Rc<Self> {
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
        let ends = fastrand::u8(..4);
        let of_all = fastrand::u8(..3) == 0;
        let fresh = fastrand::u8(..3) == 0;
        let database = Shared {
            ttl: if ends == 0 || (fresh && ends < 3) {
                longest * 3
            } else {
                Duration::from_secs(600)
            },
            longest,
            fails_of: if fresh { 4 } else { 16 },
            rows: Default::default(),
            brought: Mutex::default(),
            knew: Mutex::default(),
            told: env::var_os("SEED").is_some(),
            began: Instant::now(),
        };
        Rc::new(Self {
            database: Arc::new(database),
            longest,
            fresh,
            lasts: if fresh { 10.0 } else { 6.0 },
            caches: caches.collect(),
            bus,
            hears_all: bus && !breaks,
            of_all,
            complete: RefCell::default(),
            settled: Cell::new(false),
            reads: Cell::new(0),
            evictions: Cell::new(0),
            stale: Cell::new(0),
            violations: RefCell::default(),
        })
    }

    /// The rows as this process reaches them.
    pub(crate) fn by(&self, process: usize) -> By<'_> {
        By {
            world: self,
            process,
        }
    }

    pub(crate) fn tell(&self, what: impl std::fmt::Display) {
        self.database.tell(what);
    }

    /// What a read that starts now may return at least.
    pub(crate) fn floor(&self, process: usize, family: Family, row: usize) -> Floor {
        let (now, complete) = (Instant::now(), self.complete.borrow());
        if self.settled.get() {
            let all = || complete.iter().flat_map(|of| &of[family as usize][row]);
            let newest = all().map(|write| write.version).max().unwrap_or(0);
            let evicted = all().filter(|write| !write.expired);
            return Floor {
                shared: newest,
                alone: newest,
                stale: evicted.map(|write| write.version).max().unwrap_or(0),
            };
        }
        let all = &complete[process][family as usize][row];
        let newest = |from: fn(&Complete) -> Option<Instant>| {
            let due = all
                .iter()
                .filter(|write| from(write).is_some_and(|from| from <= now));
            due.map(|write| write.version).max().unwrap_or(0)
        };
        Floor {
            shared: newest(|write| Some(write.shared_from)),
            alone: newest(|write| Some(write.alone_from)),
            stale: newest(|write| (!write.expired).then_some(write.shared_from)),
        }
    }

    /// A value past its ttl is told to be stale, is so old at most as the function allows, and is served by those only that allow it at all.
    pub(crate) fn look_at_age(&self, how: How, read: &Read, row: usize, began: Instant) {
        let (Some(version), Some(served)) = (read.version, read.served) else {
            return;
        };
        let window = match served {
            Served::Stale(why) => {
                self.stale.set(self.stale.get() + 1);
                how.window(why, self.by(0).origin().unit())
            }
            Served::Memory | Served::Redis => Some(Duration::ZERO),
            _ => return,
        };
        let brought = self.database.brought.lock().expect("nobody panics");
        let brought = brought.get(&(row, version));
        let allowed =
            |window| brought.is_none_or(|at| began <= *at + self.database.ttl + window + BLUR);
        if !window.is_some_and(allowed) {
            let age = brought.map(|at| began.saturating_duration_since(*at));
            let text =
                format!("{how:?} of row {row} was served {version}, {age:?} old: {served:?}");
            self.violations.borrow_mut().push(text);
        }
    }

    /// No load was told of what had been evicted.
    pub(crate) fn look_at_known(&self) {
        for knew in self.database.knew.lock().expect("nobody panics").drain(..) {
            let Knew {
                process,
                family,
                row,
                version,
                at,
            } = knew;
            let complete = self.complete.borrow();
            let evicted = complete[process][family as usize][row].iter();
            // Who does not hear of the others may go on with what it has read before; and in one millisecond, nobody knows what came first.
            let evicted = evicted
                .filter(|it| !it.expired && it.shared_from < at && (it.own || self.hears_all));
            let floor = evicted.map(|it| it.version).max().unwrap_or(0);
            if version < floor {
                let text = format!(
                    "a load of process {process}, {family:?} {row}, was told of {version} after {floor}"
                );
                self.violations.borrow_mut().push(text);
            }
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
        let expired = write.expired;
        for reach in write.reach {
            for (other, complete) in complete.iter_mut().enumerate() {
                let write = if other == process {
                    Complete {
                        version,
                        shared_from: now,
                        alone_from: now,
                        expired,
                        own: true,
                    }
                } else if confirmed {
                    Complete {
                        expired,
                        ..self.elsewhere(version, other, *reach, now)
                    }
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
            expired: false,
            own: false,
        }
    }
}

impl Shared {
    async fn pause(&self) {
        sleep(self.longest.mul_f64(fastrand::f64())).await;
    }

    fn brings(&self, row: usize, version: u64) {
        let mut brought = self.brought.lock().expect("nobody panics");
        brought.insert((row, version), Instant::now());
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

impl Origin for Database {
    fn ttl(&self, _: usize) -> Duration {
        self.shared.ttl
    }

    fn unit(&self) -> Duration {
        self.shared.longest * 2
    }

    async fn load(&self, row: usize) -> Result<u64, String> {
        let shared = &self.shared;
        shared.pause().await;
        let version = shared.rows[row].load(Ordering::SeqCst);
        shared.tell(format_args!("a load sees {version} in row {row}"));
        shared.pause().await;
        if fastrand::u8(..shared.fails_of) == 0 {
            return Err("the origin failed".to_owned());
        }
        shared.brings(row, version);
        Ok(version)
    }

    fn knew(&self, family: Family, row: usize, version: u64) {
        let mut knew = self.shared.knew.lock().expect("nobody panics");
        knew.push(Knew {
            process: self.process,
            family,
            row,
            version,
            at: Instant::now(),
        });
    }
}

impl Rows for By<'_> {
    type Origin = Database;

    fn origin(&self) -> Database {
        Database {
            shared: Arc::clone(&self.world.database),
            process: self.process,
        }
    }

    fn ttl(&self, _: usize) -> Duration {
        self.world.database.ttl
    }

    fn longest(&self) -> Duration {
        self.world.longest
    }

    async fn load(&self, row: usize) -> Result<u64, String> {
        self.origin().load(row).await
    }

    async fn commit(&self, row: usize, version: &AtomicU64) {
        let database = &self.world.database;
        database.pause().await;
        let changed = database.rows[row].fetch_add(1, Ordering::SeqCst) + 1;
        version.store(changed, Ordering::SeqCst);
        self.tell(format_args!("row {row} is now {changed}"));
        database.pause().await;
        database.brings(row, changed);
    }

    fn tell(&self, what: impl std::fmt::Display) {
        self.world.tell(what);
    }
}

fn has_memory(process: usize) -> bool {
    process < 2
}
