//! What a cache consists of.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::Duration,
};

use super::{
    failures::Failures, holds::Holds, journal::Journal, lately::Lately, lease::Leases,
    timer::Timers, wakes::Wakes, workers::Workers,
};
use crate::{
    bus::Coherence,
    cache::{Background, Sites},
    flight::{Beginning, Flight, Flights, Retries},
    key::{Key, KeySecret},
    policy::Policy,
    ports::Clock,
    tags::{Cells, Label, Labelling, Stamp},
    tiers::{
        Commands, Moment, Tier,
        memory::{KeyHash, MemoryEntry, MemoryTier},
    },
};

/// The bounds and deadlines of a cache.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) name: String,
    pub(crate) defaults: Policy,
    /// All Redis commands of one annotated call together.
    pub(crate) redis_budget: Duration,
    /// One eviction, one batch of a scan.
    pub(crate) evict_deadline: Duration,
    pub(crate) max_value_bytes: usize,
    pub(crate) max_key_bytes: usize,
    /// In spans and log lines.
    pub(crate) show_keys: bool,
}

/// The parts of a cache, shared by its handles.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) memory: Arc<MemoryTier>,
    pub(crate) cells: Arc<Cells>,
    pub(crate) coherence: Arc<Coherence>,
    pub(crate) flights: Arc<Flights>,
    pub(crate) wakes: Wakes,
    pub(crate) retries: Arc<Retries>,
    pub(crate) tier: Arc<dyn Tier>,
    /// The same, where it is a Redis.
    pub(crate) commands: Option<Arc<dyn Commands>>,
    pub(crate) holds: Holds,
    pub(crate) journal: Journal,
    pub(crate) lately: Lately,
    pub(crate) leases: Leases,
    pub(crate) failures: Failures,
    pub(crate) workers: Workers,
    pub(crate) timers: Timers,
    pub(crate) sites: Sites,
    pub(crate) secret: Option<KeySecret>,
    pub(crate) background: Background,
    pub(crate) closed: AtomicBool,
    pub(crate) started: Moment,
    /// What is set up wrongly and was said: codes, and the sites they are about.
    pub(crate) logged: Mutex<HashSet<(&'static str, Option<String>)>>,
    #[cfg(feature = "metrics")]
    pub(crate) published: std::sync::Mutex<crate::observe::Published>,
}

impl Core {
    /// Tells caches of one process apart.
    pub(crate) fn id(self: &Arc<Self>) -> usize {
        Arc::as_ptr(self) as usize
    }

    /// Background work runs, on this runtime if the one it ran on is gone.
    pub(crate) fn wake(self: &Arc<Self>) {
        self.tier.wake();
        if self.journal.len() > 0 {
            self.background.nudge(self);
        }
    }

    /// What holds for a flight that begins now.
    pub(crate) fn beginning(&self, text: &str, labelling: &Labelling) -> Beginning {
        self.beginning_at(self.clock.now(), text, labelling)
    }

    fn beginning_at(&self, now: u64, text: &str, labelling: &Labelling) -> Beginning {
        // An eviction sets the hold, then moves the count, then marks the flights whose counts are old. Read in the same order, a new
        // count could come with a hold that was not there yet, and nothing would mark the flight.
        let moves = self.cells.moves();
        let stamp = Stamp::of(labelling, self.coherence.epoch()).after(moves);
        Beginning {
            held: self.holds.holds(text, now) || labelling.is_held(now),
            tag_evictions: self.cells.tag_evictions(),
            stamp,
            late: labelling.late,
        }
    }

    /// Whether an entry may be served at `now` of the memory clock, without a look at its key.
    #[inline]
    pub(crate) fn serves_at_once(&self, entry: &MemoryEntry, now: u64) -> bool {
        let now = self.clock.of_signs(now);
        self.coherence.serves(&entry.under(&self.cells), now)
    }

    /// Whether an entry, under this key, may be served at `now` of the memory clock.
    pub(crate) fn serves(&self, entry: &MemoryEntry, now: u64, key: &[u8]) -> bool {
        let in_parts = || {
            let (entry, now) = (entry.under(&self.cells), self.clock.of_signs(now));
            self.coherence.serves_in_parts(&entry, now, key)
        };
        self.serves_at_once(entry, now) || in_parts()
    }

    /// Whether an entry may be served past its ttl, as far as this process has heard.
    pub(crate) fn keeps(&self, entry: &MemoryEntry, now: u64, key: &[u8]) -> bool {
        let (entry, now) = (entry.under(&self.cells), self.clock.of_signs(now));
        self.coherence.keeps(&entry, now, key)
    }

    /// The epoch, while every message about labels is heard, and every one about keys of which the bus says nothing else.
    pub(crate) fn listening(&self) -> Option<u64> {
        self.coherence.listening(self.moment())
    }

    /// The present, on the clock of signs of life.
    pub(crate) fn moment(&self) -> u64 {
        self.clock.of_signs(self.clock.now())
    }

    /// Whether everything was heard that could concern a flight, from its beginning until now.
    pub(crate) fn hears(&self, flight: &Flight) -> bool {
        self.listening() == Some(flight.stamp.base.epoch)
            && self.coherence.hears(flight.key.text().as_bytes())
    }

    /// The same for what a flight has found in Redis: it may carry tags that the flight did not begin with.
    pub(crate) fn is_sure(&self, flight: &Flight) -> bool {
        self.hears(flight) && flight.knows_all_tag_evictions(&self.cells)
    }

    /// The labels of an entry before its value is known.
    pub(crate) fn labelling(&self, key: &Key, tags: &[Label], late: bool) -> Labelling {
        Labelling {
            root: self.cells.root(key.region()),
            scope: key
                .scope()
                .map(|scope| self.cells.cell(&Label::scope(scope))),
            tags: tags.iter().map(|tag| self.cells.cell(tag)).collect(),
            late,
        }
    }

    pub(crate) fn hash(&self, text: &str) -> KeyHash {
        self.memory.hash(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::{hint::spin_loop, sync::Barrier, thread};

    use crate::{
        Cache,
        key::Key,
        tags::{Derived, Label, Labelling, Manner},
    };

    /// An eviction marks the flights whose counts are old, so one that begins beside it either sees the hold or has an old count.
    #[test]
    fn a_flight_begins_with_the_hold_or_before_the_count() {
        const ROUNDS: u64 = 50_000;
        let cache = Cache::builder("core").build().unwrap();
        let (core, start) = (cache.core(), Barrier::new(2));
        let labellings: Vec<Labelling> = (0..64)
            .map(|_| core.labelling(&Key::new("a"), &[Label::stored("x")], false))
            .collect();
        let label = Label::stored("x");
        let mut missed = Vec::new();
        thread::scope(|scope| {
            scope.spawn(|| {
                for round in 0..ROUNDS {
                    start.wait();
                    core.cells.gone(&label, Manner::Evict, round, round + 1);
                    start.wait();
                }
            });
            for round in 0..ROUNDS {
                start.wait();
                for _ in 0..fastrand::u8(..100) {
                    spin_loop();
                }
                let labelling = &labellings[round as usize % labellings.len()];
                let begun = core.beginning_at(round, "a", labelling);
                start.wait();
                if !begun.held && begun.stamp.is_current() {
                    missed.push(round);
                }
            }
        });
        assert!(missed.is_empty(), "{missed:?}");
    }
}
