//! One schedule's database and fleet, and what its readers may still see.

use std::{
    cell::{Cell, RefCell},
    env,
    rc::Rc,
    time::Duration,
};

use cache_runtime::{Cache, Memory, testing::ModelRedis};
use tokio::time::sleep;

use crate::{KEYS, PROCESSES};

/// One schedule's database, fleet and bookkeeping.
pub(crate) struct World {
    pub(crate) ttl: Duration,
    pub(crate) longest: Duration,
    pub(crate) rows: [Cell<u64>; KEYS],
    pub(crate) caches: Vec<Cache>,
    /// Per process and key: the newest version whose write is complete for it.
    pub(crate) floors: RefCell<[[u64; KEYS]; PROCESSES]>,
    /// The same, of its own writes only.
    pub(crate) own_floors: RefCell<[[u64; KEYS]; PROCESSES]>,
    pub(crate) reads: Cell<u64>,
    pub(crate) violations: RefCell<Vec<String>>,
    /// Tell the story of the schedule.
    told: bool,
    began: tokio::time::Instant,
}

impl World {
    pub(crate) fn tell(&self, what: impl std::fmt::Display) {
        if self.told {
            println!(
                "{:8.1} ms  {what}",
                self.began.elapsed().as_secs_f64() * 1_000.0
            );
        }
    }

    pub(crate) fn new(redis: &ModelRedis, longest: Duration) -> Rc<Self> {
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

    pub(crate) async fn pause(&self) {
        sleep(self.longest.mul_f64(fastrand::f64())).await;
    }

    pub(crate) fn commit(&self, row: usize) -> u64 {
        self.rows[row].set(self.rows[row].get() + 1);
        self.tell(format_args!("row {row} is now {}", self.rows[row].get()));
        self.rows[row].get()
    }

    /// A write of `version` is complete for `process`, and for the processes without memory if Redis confirmed it.
    pub(crate) fn complete(&self, process: usize, row: usize, version: u64, confirmed: bool) {
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
