//! One schedule's database and fleet, and what its reads may still see.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use cache_runtime::{
    Cache, Memory,
    testing::{ModelRedis, Step},
};

use crate::{
    PROCESSES,
    configuration::Configuration,
    event::{Event, Kind},
    gate::Gate,
};

/// Time passes only when nothing is in flight, so nothing ever waits so long.
const LONG: Duration = Duration::from_secs(60);

pub(crate) struct World {
    pub(crate) gate: Arc<Gate>,
    pub(crate) redis: ModelRedis,
    pub(crate) caches: Vec<Cache>,
    pub(crate) memory: [bool; PROCESSES],
    /// How often the database was written.
    pub(crate) version: Arc<AtomicU64>,
    /// What each process has written to it; in no configuration does one write twice.
    committed: [Cell<u64>; PROCESSES],
    /// By whom each process's write is carried out in one moment.
    by_key: [bool; PROCESSES],
    /// What the messages sent so far tell to be over, by their numbers.
    told: RefCell<BTreeMap<u64, u64>>,
    floors: [Cell<Floor>; PROCESSES],
    /// Reads that began after a write was over.
    pub(crate) bound: Cell<u64>,
    pub(crate) violations: RefCell<Vec<String>>,
}

/// The oldest versions that reads of a process may return from now on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Floor {
    /// If a read shares another's load: that one may have begun before the message came.
    pub(crate) shared: u64,
    /// If it does not.
    pub(crate) alone: u64,
}

impl World {
    pub(crate) fn new(gate: &Arc<Gate>, configuration: &Configuration) -> Rc<Self> {
        let redis = ModelRedis::new();
        let memory = configuration.memory;
        let caches = memory.map(|has_memory| {
            let builder = Cache::builder("model")
                .model_redis(&redis)
                .tokio_clock()
                .redis_budget(LONG)
                .evict_deadline(LONG);
            let builder = if has_memory {
                builder.memory(Memory::new().max_entries(100))
            } else {
                builder.no_memory()
            };
            builder.build().expect("a valid configuration")
        });
        let mut by_key = [false; PROCESSES];
        for (process, call) in configuration.calls {
            by_key[*process] |= call.is_by_key();
        }
        Rc::new(Self {
            gate: Arc::clone(gate),
            redis,
            caches: caches.into(),
            memory,
            version: Arc::default(),
            committed: Default::default(),
            by_key,
            told: RefCell::default(),
            floors: Default::default(),
            bound: Cell::new(0),
            violations: RefCell::default(),
        })
    }

    pub(crate) fn commit(&self, process: usize) -> u64 {
        let before = self.committed[process].get();
        assert_eq!(before, 0, "a process writes once");
        let version = self.version.fetch_add(1, Ordering::SeqCst) + 1;
        self.committed[process].set(version);
        version
    }

    /// The write of a process is complete there, whether its caller has waited or not.
    pub(crate) fn complete(&self, process: usize) {
        self.raise(process, self.committed[process].get());
    }

    fn raise(&self, process: usize, version: u64) {
        let floor = self.floors[process].get();
        self.floors[process].set(Floor {
            shared: floor.shared.max(version),
            alone: floor.alone.max(version),
        });
    }

    /// An event is over, before which `sent` messages had been sent.
    pub(crate) fn note(&self, event: Event, sent: u64) {
        let now = self.redis.publishes();
        match event.kind {
            Kind::Over(Step::Command("remove" | "put")) if now > sent => {
                let version = self.committed[event.process].get();
                self.told
                    .borrow_mut()
                    .extend((sent + 1..=now).map(|number| (number, version)));
                self.carried_out(event.process, version);
            }
            Kind::Over(Step::Message { number, .. }) => {
                let told = self.told.borrow().get(&number).copied();
                self.raise(event.process, told.unwrap_or(0));
            }
            // It knows that it may have missed all of them.
            Kind::Breaks => {
                let told = self.told.borrow().values().copied().max();
                self.raise(event.process, told.unwrap_or(0));
            }
            _ => {}
        }
    }

    /// An eviction by key is seen at once where no memory stands between.
    fn carried_out(&self, process: usize, version: u64) {
        for other in 0..PROCESSES {
            if other != process && !self.memory[other] && self.by_key[process] {
                let floor = self.floors[other].get();
                let alone = floor.alone.max(version);
                self.floors[other].set(Floor { alone, ..floor });
            }
        }
    }

    /// What a read that begins now may return at least.
    pub(crate) fn floor(&self, process: usize) -> Floor {
        let floor = self.floors[process].get();
        self.bound
            .set(self.bound.get() + u64::from(floor.alone > 0));
        floor
    }

    pub(crate) fn violation(&self, what: String) {
        self.violations.borrow_mut().push(what);
    }
}
