//! One load and what became of it.

use std::{
    any::Any,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use tokio::{sync::Notify, time::Instant};

use super::InHand;
use crate::{
    entry::Erased,
    key::Key,
    observe::Why,
    tags::{Cell, Cells, Derived, Stamp},
    tiers::memory::Reader,
};

/// What a flight is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlightKind {
    /// The load of a key: callers join it, its value is stored.
    Load,
    /// A load nobody joins (`stampede_protection = "off"`); its value is stored.
    Alone,
    /// The load of those whose wait ran out: they share it, its value is not stored.
    Unstored,
    /// A put whose body runs: nobody waits for it.
    Put,
}

/// What a caller would load, if nobody does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) reader: Reader,
    pub(crate) kind: FlightKind,
    /// The tags it would carry, as far as they are known before there is a value.
    pub(crate) tags: &'a [Arc<Cell>],
}

/// An error that waiters take their own from.
pub(crate) type SharedError = Arc<dyn Any + Send + Sync>;

/// How a flight ended for those who waited.
#[derive(Clone)]
pub(crate) enum Outcome {
    Value(Erased),
    /// A value as it was at a moment: an eviction after that may not have been noticed. It is for those whose
    /// call began before.
    AsOf(Erased, Instant),
    /// A value past its ttl, and why it is served; as old as a moment, where that matters.
    Stale(InHand, Why, Option<Instant>),
    /// The origin failed and its error can be shared.
    Failed(SharedError),
    /// The origin failed; each waiter has to see for itself.
    FailedAlone,
    /// The leader was dropped, panicked or gave up: start anew.
    Abandoned,
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value(_) => "Value",
            Self::AsOf(..) => "AsOf",
            Self::Stale(..) => "Stale",
            Self::Failed(_) => "Failed",
            Self::FailedAlone => "FailedAlone",
            Self::Abandoned => "Abandoned",
        })
    }
}

/// A load in this process.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) key: Key,
    pub(crate) reader: Reader,
    pub(crate) kind: FlightKind,
    /// A hold was in force when it began: its value must not be stored.
    pub(crate) held: bool,
    /// The labels it began with, and their counts then.
    pub(crate) stamp: Stamp,
    /// Its value will name more labels, so every eviction of a tag may concern it.
    late: bool,
    /// How many evictions of tags there had been.
    tag_evictions: u64,
    as_of: Mutex<Option<Instant>>,
    /// What those can be served who would rather not wait.
    offer: Mutex<Option<(InHand, Option<Instant>)>>,
    /// Its leader has seen what Redis has: if there is no offer, there is nothing.
    looked: AtomicBool,
    /// What it is to replace is fresh until then, by the memory clock.
    replaces: AtomicU64,
    outcome: Mutex<Option<Outcome>>,
    ended: Notify,
    marked: AtomicBool,
    on_mark: Notify,
}

/// What holds at the moment a flight begins; asked for under the lock of its shard.
#[derive(Debug)]
pub(crate) struct Beginning {
    pub(crate) held: bool,
    pub(crate) stamp: Stamp,
    pub(crate) late: bool,
    pub(crate) tag_evictions: u64,
}

impl Flight {
    pub(super) fn new(key: Key, reader: Reader, kind: FlightKind, beginning: Beginning) -> Self {
        Self {
            key,
            reader,
            kind,
            held: beginning.held,
            stamp: beginning.stamp,
            late: beginning.late,
            tag_evictions: beginning.tag_evictions,
            as_of: Mutex::new(None),
            offer: Mutex::new(None),
            looked: AtomicBool::new(false),
            replaces: AtomicU64::new(0),
            outcome: Mutex::new(None),
            ended: Notify::new(),
            marked: AtomicBool::new(false),
            on_mark: Notify::new(),
        }
    }

    /// Whether its value is what somebody wants who has not begun to load it.
    pub(super) fn is_for(&self, wanted: &Wanted<'_>) -> bool {
        let tags = wanted.tags.iter().map(|tag| tag.label().as_str());
        let carries = |tag: &str| self.stamp.own().any(|label| label.as_str() == tag);
        self.kind == wanted.kind
            && self.reader.is_same(&wanted.reader)
            && self.reader.tags_for(carries, &wanted.reader, tags)
    }

    /// What it brings is as old as this moment: Redis is asked now, or the origin.
    pub(crate) fn asks_now(&self) -> Instant {
        let now = Instant::now();
        self.asks_at(now);
        now
    }

    /// The same of a moment that has just been: to say an earlier one is safe, and keeps what is brought from some who could have it.
    pub(crate) fn asks_at(&self, moment: Instant) {
        *self.as_of.lock().unwrap_or_else(PoisonError::into_inner) = Some(moment);
    }

    /// A value of this flight with the moment it is as old as.
    pub(crate) fn as_of(&self, value: Erased) -> Outcome {
        let as_of = *self.as_of.lock().unwrap_or_else(PoisonError::into_inner);
        as_of.map_or(Outcome::Abandoned, |as_of| Outcome::AsOf(value, as_of))
    }

    /// What is offered, with the moment it is as old as: that of the look that found it, and not of the load that failed.
    pub(crate) fn stale_as_of(&self, why: Why) -> Outcome {
        let offer = self.offer.lock().unwrap_or_else(PoisonError::into_inner);
        match &*offer {
            Some((in_hand, Some(as_of))) => Outcome::Stale(in_hand.clone(), why, Some(*as_of)),
            _ => Outcome::Abandoned,
        }
    }

    /// Who joins may be served this, which the last question has found, instead of waiting.
    pub(crate) fn offer(&self, in_hand: InHand) {
        let as_of = *self.as_of.lock().unwrap_or_else(PoisonError::into_inner);
        *self.offer.lock().unwrap_or_else(PoisonError::into_inner) = Some((in_hand, as_of));
    }

    /// What a caller may be served who called at `began`; `sure`: everything was heard since this flight began.
    pub(crate) fn offered(&self, began: Instant, sure: bool) -> Option<InHand> {
        let offer = self.offer.lock().unwrap_or_else(PoisonError::into_inner);
        let (in_hand, as_of) = offer.as_ref()?;
        // What was read after the call began is as new as the call may ask for.
        let fits = sure || as_of.is_some_and(|as_of| began < as_of);
        (fits && !self.is_marked()).then(|| in_hand.clone())
    }

    /// What Redis has was offered, if it is of any use.
    pub(crate) fn look_is_over(&self) {
        self.looked.store(true, Ordering::Release);
    }

    pub(crate) fn has_looked(&self) -> bool {
        self.looked.load(Ordering::Acquire)
    }

    /// It is to replace a value that is fresh until then.
    pub(crate) fn replaces(&self, ttl_until: u64) {
        self.replaces.store(ttl_until, Ordering::Release);
    }

    /// Whether Redis should have a fresh value while this flight goes on.
    pub(crate) fn replaces_fresh(&self, now: u64) -> bool {
        now < self.replaces.load(Ordering::Acquire)
    }

    /// Whether an eviction has overtaken this load.
    pub(crate) fn is_marked(&self) -> bool {
        self.marked.load(Ordering::SeqCst)
    }

    /// Whether one of its labels was evicted since it began.
    pub(crate) fn is_outdated(&self, cells: &Cells) -> bool {
        !self.stamp.is_current() || (self.late && !self.knows_all_tag_evictions(cells))
    }

    /// Whether no tag at all was evicted since it began: then labels it learns of later were not.
    pub(crate) fn knows_all_tag_evictions(&self, cells: &Cells) -> bool {
        self.tag_evictions == cells.tag_evictions()
    }

    /// Called under the shard's lock.
    pub(super) fn mark(&self) {
        self.marked.store(true, Ordering::SeqCst);
        self.on_mark.notify_one();
    }

    /// Resolves when the flight is marked. One task at a time: the leader's.
    pub(crate) async fn until_marked(&self) {
        while !self.is_marked() {
            self.on_mark.notified().await;
        }
    }

    /// Called once, when the flight is out of the table.
    pub(super) fn end(&self, outcome: Outcome) {
        let mut slot = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            *slot = Some(outcome);
        }
        drop(slot);
        self.ended.notify_waiters();
    }

    fn outcome(&self) -> Option<Outcome> {
        self.outcome
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits for the end, at most until `deadline`; `None` when the deadline came first.
    pub(crate) async fn wait(&self, deadline: Instant) -> Option<Outcome> {
        let wait = async {
            loop {
                let mut ended = std::pin::pin!(self.ended.notified());
                // Interest is registered before the second look: an end between the two is not missed.
                ended.as_mut().enable();
                if let Some(outcome) = self.outcome() {
                    return outcome;
                }
                ended.await;
            }
        };
        tokio::time::timeout_at(deadline, wait).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use tokio::time::{Instant, advance};

    use super::{Beginning, Flight, FlightKind, InHand, Outcome, Why};
    use crate::flight::Source;
    use crate::{
        key::Key,
        tags::{Cells, Labelling, Stamp},
        tiers::memory::Reader,
    };

    fn flight() -> Flight {
        let reader = Reader {
            schema: Some(0),
            ..Reader::of::<u8>()
        };
        let labelling = Labelling {
            root: Cells::default().root(""),
            scope: None,
            tags: Vec::new(),
            late: false,
        };
        let beginning = Beginning {
            held: false,
            stamp: Stamp::of(&labelling, 2),
            late: false,
            tag_evictions: 0,
        };
        Flight::new(Key::new("a"), reader, FlightKind::Load, beginning)
    }

    fn in_hand() -> InHand {
        InHand {
            value: Arc::new(1_u8),
            token: None,
            born: 0,
            ttl_until: 0,
            kept_until: u64::MAX,
            source: Source::Redis,
        }
    }

    /// Nobody knows whether everything was heard: then what was read is for those who had called before it was asked for, however late its load ends.
    #[tokio::test(start_paused = true)]
    async fn what_is_offered_is_as_old_as_the_look_that_found_it() {
        let (flight, early) = (flight(), Instant::now());
        advance(Duration::from_millis(1)).await;
        flight.asks_now();
        let asked = Instant::now();
        flight.offer(in_hand());
        advance(Duration::from_millis(1)).await;
        let late = Instant::now();
        flight.asks_now();
        assert!(flight.offered(early, false).is_some());
        assert!(flight.offered(asked, false).is_none() && flight.offered(late, false).is_none());
        assert!(flight.offered(late, true).is_some());
        let outcome = flight.stale_as_of(Why::Failed);
        assert!(matches!(outcome, Outcome::Stale(_, _, Some(as_of)) if as_of == asked));
    }
}
