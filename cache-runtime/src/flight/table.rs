//! All flights of a cache, by key.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashTable;

use super::{
    guard::FlightGuard,
    state::{Beginning, Flight, FlightKind, Outcome, Wanted},
};
use crate::{
    bus::Coherence,
    key::Key,
    tags::Cells,
    tiers::memory::{KeyHash, MemoryTier, NewEntry, Reader, Remembered},
};

const SHARDS: usize = 64;

/// The table of flights, and the memory tier they end in.
#[derive(Debug)]
pub(crate) struct Flights {
    shards: Box<[Arc<Shard>]>,
    cells: Arc<Cells>,
}

/// A part of the table. Who holds a flight holds its shard: a count of all who hold the table would be a line that every processor writes.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Shard {
    flights: Mutex<InFlight>,
    memory: Arc<MemoryTier>,
    cells: Arc<Cells>,
    coherence: Arc<Coherence>,
}

/// By the hash of the key. Usually one flight per key; a second template, a put or an unstored load may stand beside it, and a key of the same hash.
type InFlight = HashTable<Held>;

#[derive(Debug)]
struct Held {
    hash: KeyHash,
    flight: Arc<Flight>,
}

impl Held {
    fn place(&self) -> u64 {
        place(self.hash)
    }
}

/// A hash is hashed already, with a seed of this process. What chose the shard, the low bits, is the same for all in it. The map takes its place from the
/// low bits and compares the high ones first, so that goes into the middle, where nobody looks.
fn place(hash: KeyHash) -> u64 {
    hash.0.rotate_right(32)
}

/// The answer to a caller that found nothing in memory.
pub(crate) enum Registered {
    /// It is in memory after all.
    Stored(Remembered),
    /// Somebody is loading it.
    Joined(Arc<Flight>),
    /// A put's body is running: its old value is not worth waiting for.
    PutRuns,
    /// The caller leads.
    Leads(FlightGuard),
}

impl Flights {
    pub(crate) fn new(
        memory: Arc<MemoryTier>,
        cells: Arc<Cells>,
        coherence: Arc<Coherence>,
    ) -> Self {
        let shard = |_| {
            Arc::new(Shard {
                flights: Mutex::default(),
                memory: Arc::clone(&memory),
                cells: Arc::clone(&cells),
                coherence: Arc::clone(&coherence),
            })
        };
        Self {
            shards: (0..SHARDS).map(shard).collect(),
            cells,
        }
    }

    /// Joins the running load of `key`, or starts one. `look_again` is asked, under the lock, whether a load that
    /// ended in between has left something usable, and `begin` what holds at this moment: an eviction that sets a hold or moves a
    /// count marks after it, so a flight either begins with it or is marked.
    pub(crate) fn register(
        &self,
        key: &Key,
        hash: KeyHash,
        wanted: Wanted<'_>,
        begin: impl FnOnce() -> Beginning,
        look_again: impl FnOnce() -> Option<Remembered>,
    ) -> Registered {
        let Wanted { reader, kind, .. } = wanted;
        let shard = self.shard(hash);
        let mut in_flight = shard.lock();
        let of_key = |flight: &&Arc<Flight>| {
            flight.key.text() == key.text() && flight.key.full() == key.full()
        };
        let flights = || in_flight.iter_hash(place(hash)).map(|held| &held.flight);
        if let Some(stored) = look_again() {
            return Registered::Stored(stored);
        }
        if matches!(kind, FlightKind::Load | FlightKind::Unstored) {
            let mut same = flights().filter(of_key);
            if let Some(flight) = same.find(|flight| flight.is_for(&wanted)) {
                return Registered::Joined(Arc::clone(flight));
            }
        }
        if matches!(kind, FlightKind::Load | FlightKind::Alone)
            && flights()
                .filter(of_key)
                .any(|flight| flight.kind == FlightKind::Put)
        {
            return Registered::PutRuns;
        }
        Registered::Leads(shard.start(&mut in_flight, key, hash, reader, kind, begin()))
    }

    /// Starts a flight that overtakes what runs: a put, or a forced refresh. The flights of the key are marked.
    pub(crate) fn overtake(
        &self,
        key: &Key,
        hash: KeyHash,
        reader: Reader,
        kind: FlightKind,
        begin: impl FnOnce() -> Beginning,
    ) -> FlightGuard {
        let shard = self.shard(hash);
        let mut in_flight = shard.lock();
        mark_key(&mut in_flight, hash, key.text());
        shard.start(&mut in_flight, key, hash, reader, kind, begin())
    }

    /// Marks every flight of one key, and does this to memory before another can begin: that one has nothing in hand of before.
    pub(crate) fn mark<T>(&self, hash: KeyHash, text: &str, memory: impl FnOnce() -> T) -> T {
        let mut in_flight = self.shard(hash).lock();
        mark_key(&mut in_flight, hash, text);
        memory()
    }

    /// Marks the flights that are chosen.
    pub(crate) fn mark_where(&self, chosen: impl Fn(&Flight) -> bool) {
        for shard in &self.shards {
            shard.lock().retain(|held| {
                let concerned = chosen(&held.flight);
                if concerned {
                    held.flight.mark();
                }
                !concerned
            });
        }
    }

    /// Marks the flights one of whose labels was evicted.
    pub(crate) fn mark_outdated(&self) {
        self.mark_where(|flight| flight.is_outdated(&self.cells));
    }

    /// How many flights are in the table.
    #[cfg(feature = "test-util")]
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    fn shard(&self, hash: KeyHash) -> &Arc<Shard> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "only the low bits choose the shard"
        )]
        let index = hash.0 as usize % SHARDS;
        &self.shards[index]
    }
}

impl Shard {
    fn start(
        self: &Arc<Self>,
        in_flight: &mut InFlight,
        key: &Key,
        hash: KeyHash,
        reader: Reader,
        kind: FlightKind,
        beginning: Beginning,
    ) -> FlightGuard {
        let flight = Arc::new(Flight::new(key.clone(), reader, kind, beginning));
        let held = Held {
            hash,
            flight: Arc::clone(&flight),
        };
        in_flight.insert_unique(place(hash), held, Held::place);
        FlightGuard::new(Arc::clone(self), flight, hash)
    }

    /// Ends a flight: its outcome to the waiters, and `entry` into memory unless an eviction came first, or might have.
    ///
    /// Tells whether the entry was inserted.
    pub(super) fn end(
        &self,
        flight: &Arc<Flight>,
        hash: KeyHash,
        outcome: Outcome,
        entry: Option<NewEntry>,
    ) -> bool {
        let mut in_flight = self.lock();
        let enters = entry
            .as_ref()
            .is_some_and(|entry| self.may_enter(flight, entry));
        // What is refused may be the last that has its value, to be dropped where no lock is held.
        let (entry, _refused) = if enters { (entry, None) } else { (None, entry) };
        let pushed_out = entry.map(|new| self.memory.insert(new.entry));
        take_out(&mut in_flight, flight, hash);
        drop(in_flight);
        flight.end(outcome);
        pushed_out.is_some()
    }

    /// An entry that carries labels its flight did not begin with needs that no tag at all was evicted since.
    fn may_enter(&self, flight: &Flight, entry: &NewEntry) -> bool {
        !flight.is_marked()
            && self.coherence.accepts(flight.stamp.base.epoch)
            && (!entry.late || flight.knows_all_tag_evictions(&self.cells))
    }

    /// Marks one flight and takes it out of the table.
    pub(super) fn mark_one(&self, flight: &Arc<Flight>, hash: KeyHash) {
        let mut in_flight = self.lock();
        flight.mark();
        take_out(&mut in_flight, flight, hash);
    }

    /// Nothing panics under this lock but a failing allocation, after which the table is still whole.
    fn lock(&self) -> MutexGuard<'_, InFlight> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn take_out(in_flight: &mut InFlight, flight: &Arc<Flight>, hash: KeyHash) {
    let is_it = |held: &Held| Arc::ptr_eq(&held.flight, flight);
    if let Ok(held) = in_flight.find_entry(place(hash), is_it) {
        held.remove();
    }
}

fn mark_key(in_flight: &mut InFlight, hash: KeyHash, text: &str) {
    let concerned = |held: &Held| held.flight.key.text() == text;
    while let Ok(held) = in_flight.find_entry(place(hash), concerned) {
        held.get().flight.mark();
        held.remove();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, Mutex, OnceLock},
        time::Duration,
    };

    use super::{Beginning, FlightKind, Flights, Outcome, Registered, Wanted};
    use crate::{
        bus::Coherence,
        entry::Erased,
        key::Key,
        tags::{Labelling, Stamp},
        tiers::memory::{Birth, KeyHash, Memory, MemoryTier, NewEntry, Particulars, Reader, Term},
    };

    fn flights() -> Arc<Flights> {
        let memory = Arc::new(MemoryTier::new(Memory::new()));
        let coherence = Arc::new(Coherence::new(false, Duration::ZERO));
        Arc::new(Flights::new(memory, Arc::default(), coherence))
    }

    fn reader() -> Reader {
        Reader {
            schema: Some(0),
            ..Reader::of::<u8>()
        }
    }

    fn wanted() -> Wanted<'static> {
        Wanted {
            reader: reader(),
            kind: FlightKind::Load,
            tags: &[],
        }
    }

    fn beginning(flights: &Flights) -> Beginning {
        let labelling = Labelling {
            root: flights.cells.root(""),
            scope: None,
            tags: Vec::new(),
            late: false,
        };
        Beginning {
            held: true,
            stamp: Stamp::of(&labelling, 2),
            late: false,
            tag_evictions: 0,
        }
    }

    #[test]
    fn keys_of_one_hash_are_kept_apart() {
        let (flights, hash) = (flights(), KeyHash(7));
        let register = |text| {
            let begin = || beginning(&flights);
            flights.register(&Key::new(text), hash, wanted(), begin, || None)
        };
        let lead = |text| match register(text) {
            Registered::Leads(guard) => guard,
            _ => panic!("nobody else has registered {text}"),
        };
        let joins = |text| matches!(register(text), Registered::Joined(_));
        let (a, b) = (lead("a"), lead("b"));
        flights.mark(hash, "a", || ());
        assert!(a.flight().is_marked() && !b.flight().is_marked());
        assert!(joins("b"));
        let a_again = lead("a");
        drop(a);
        assert!(joins("a") && joins("b"));
        drop(b);
        assert!(joins("a") && !a_again.flight().is_marked());
        lead("b");
    }

    /// An eviction holds the key, then marks its flights: asked before the lock, a flight could be neither held nor marked.
    #[test]
    fn what_holds_is_asked_for_under_the_lock_of_the_flights() {
        let (flights, key) = (flights(), Key::new("a"));
        let hash = flights.shards[0].memory.hash(key.text().as_bytes());
        let begin = || {
            assert!(
                flights
                    .shards
                    .iter()
                    .any(|shard| shard.flights.try_lock().is_err())
            );
            beginning(&flights)
        };
        let registered = flights.register(&key, hash, wanted(), begin, || None);
        let Registered::Leads(load) = registered else {
            panic!("nobody else has registered");
        };
        let put = flights.overtake(&key, hash, reader(), FlightKind::Put, begin);
        flights.mark(hash, "another", || {
            let closed = flights
                .shards
                .iter()
                .any(|shard| shard.flights.try_lock().is_err());
            assert!(closed, "none begins with what is about to be removed");
        });
        assert!(load.flight().held && load.flight().is_marked());
        assert!(put.flight().held && !put.flight().is_marked());
    }

    static WATCHED: OnceLock<Arc<Flights>> = OnceLock::new();
    static DROPPED: Mutex<Vec<bool>> = Mutex::new(Vec::new());

    /// Tells, when it is dropped, whether a lock of the flights is held.
    #[derive(Clone, serde::Serialize, serde::Deserialize)]
    struct Tells;

    impl Drop for Tells {
        fn drop(&mut self) {
            if let Some(flights) = WATCHED.get() {
                let locked = flights
                    .shards
                    .iter()
                    .any(|shard| shard.flights.try_lock().is_err());
                DROPPED.lock().unwrap().push(locked);
            }
        }
    }

    #[test]
    fn what_may_not_enter_memory_is_dropped_where_no_lock_is_held() {
        let (flights, key) = (flights(), Key::new("a"));
        let hash = flights.shards[0].memory.hash(key.text().as_bytes());
        let reader = Reader {
            schema: Some(0),
            ..Reader::of::<Tells>()
        };
        let wanted = Wanted { reader, ..wanted() };
        let begin = || beginning(&flights);
        let Registered::Leads(load) = flights.register(&key, hash, wanted, begin, || None) else {
            panic!("nobody else loads");
        };
        let value: Erased = Arc::new(Tells);
        let birth = Birth {
            of: reader,
            promoted: false,
            base: load.flight().stamp.with(&[]).0,
        };
        let term = Term::new(0, (1_000, 1_000), u64::MAX, 0);
        let own = Particulars::default();
        let entry = flights.shards[0]
            .memory
            .entry(key.text(), birth, own, &term, 1, &value);
        flights.mark(hash, key.text(), || ());
        WATCHED.get_or_init(|| Arc::clone(&flights));
        let new = NewEntry { entry, late: false };
        // A put ends like this: nobody else has the value.
        drop(value);
        assert!(!load.end(Outcome::Abandoned, Some(new)));
        assert_eq!(*DROPPED.lock().unwrap(), [false]);
    }
}
