//! The words a shared tier is spoken to with: questions, answers, and how its connection stands.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;

use crate::bus::{Gone, Manner};
use crate::entry::Token;
use crate::tags::{Label, Logical, Standing};

/// What a lease is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseKind {
    /// A load: asks, and waits if another has it.
    Load,
    /// A put: takes it by force, whatever value is there. A hold bars it all the same, and nobody waits for it.
    Put,
}

/// A request for a lease.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Acquire {
    /// The load that will present it.
    pub token: Token,
    /// The token of the value the caller has in hand and cannot serve.
    pub seen: Option<Token>,
    /// Do not look at the value at all (`refresh`).
    pub ignore_value: bool,
    /// How long it stands without a renewal.
    pub lease: Duration,
    /// What it is for.
    pub kind: LeaseKind,
    /// Should another have it, the caller waits: whoever ends that lease is to announce it.
    pub waits: bool,
    /// The caller has a value it can serve: while a note of a failure stands, it does not want the lease. A put
    /// takes it all the same.
    pub heeds_failures: bool,
}

/// What a load asks about its labels.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Labels<'a> {
    /// Asks for the generation of the cache, and registers what of it the caller has templates for.
    pub register: Option<Register<'a>>,
    /// These have a generation afterwards (the cache's is asked for by `register`), of the clock's present era, and live
    /// at least `life` longer.
    pub labels: &'a [Label],
    /// How long the longest entry lives that may be stored under them.
    pub life: Duration,
    /// Asks for the logical clock as it was before anything was created.
    pub clock: bool,
}

/// What is registered with the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Register<'a> {
    /// Nothing yet: the process has just come.
    Nothing,
    /// The literal region of a template; the empty one stands for "any key".
    Region(&'a str),
}

impl Labels<'_> {
    /// Whether there is nothing to ask.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.register.is_none() && self.labels.is_empty() && !self.clock
    }
}

/// The answer to [`Labels`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labelled {
    /// How the cache stands, if it was asked; never missing.
    pub cache: Option<Standing>,
    /// How the labels stand, in their order; none is missing.
    pub labels: Vec<Standing>,
    /// The logical clock, if it was asked for.
    pub clock: Option<Logical>,
}

/// The answer to [`Tier::read`](super::Tier::read).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// The stored bytes, as they were stored but for what [`mark_expired`](crate::tier::mark_expired) does.
    pub value: Option<Bytes>,
    /// How the labels stand, in their order.
    pub labels: Vec<Standing>,
}

/// The answer to [`Acquire`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acquired {
    /// Somebody stored a value the caller has not seen.
    Value(Bytes),
    /// The caller has the lease.
    Lead,
    /// Another has it.
    Held {
        /// By a put: load unstored, do not wait.
        by_put: bool,
    },
    /// An eviction refuses stores for a while: load, do not store.
    Hold,
    /// The origin has failed lately; only to who [heeds](Acquire::heeds_failures) that.
    Failed {
        /// How long it is left alone.
        left: Duration,
    },
}

/// A value to store under a lease.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Store<'a> {
    /// The load's; the bytes begin with it.
    pub token: Token,
    /// An entry of a higher version is left alone.
    pub schema_version: u32,
    /// What is stored.
    pub bytes: &'a [u8],
    /// Kept at least 1 ms and at most a hundred years.
    pub life: Duration,
    /// Who hears of it.
    pub announce: Announce,
}

/// Whom a store tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announce {
    /// Who waits for the lease, if anybody does: a load.
    Waiters,
    /// Everybody, that the key was evicted: a put.
    Everybody,
}

/// The answer to [`Store`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is there, and the lease was given back.
    Stored,
    /// The lease was lost.
    Refused,
    /// An entry of a higher schema version is there; the lease was given back.
    Newer,
    /// Stores are refused for a while; the lease was given back.
    Held,
}

/// One key to evict.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Eviction<'a> {
    /// The encoded logical key.
    pub key: &'a str,
    /// Refuse stores this long; zero for not at all. Extends a hold, never shortens one.
    pub hold: Duration,
}

/// One label to evict.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct LabelEviction<'a> {
    /// Its name.
    pub label: &'a Label,
    /// Refuse stores under it this long; zero for not at all.
    pub hold: Duration,
}

/// What goes in one round trip.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Removal<'a> {
    /// Whether they go, or count as past their ttl.
    pub manner: Manner,
    /// These keys: value, lease and note of a failure go, or all but the value.
    pub keys: &'a [Eviction<'a>],
    /// These labels: their generations are replaced, or only the half that is for freshness.
    pub labels: &'a [LabelEviction<'a>],
    /// Asks for the registered regions, read after the labels were evicted.
    pub registry: bool,
}

impl Removal<'_> {
    /// What is to be announced: one message for each hold, because a message says one, and who hears it holds all that it names.
    #[must_use]
    pub fn news(&self) -> Vec<Gone> {
        let mut news = BTreeMap::<Duration, Gone>::new();
        let mut of_hold = |hold, add: &dyn Fn(&mut Gone)| {
            let gone = news.entry(hold).or_insert_with(|| Gone {
                manner: self.manner,
                hold,
                ..Gone::default()
            });
            add(gone);
        };
        for it in self.keys {
            of_hold(it.hold, &|gone| gone.keys.push(it.key.into()));
        }
        for it in self.labels {
            of_hold(it.hold, &|gone| gone.labels.push(it.label.clone()));
        }
        news.into_values().collect()
    }
}

/// The answer to [`Removal`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// How the cache stands, if the registry was asked for: its generation is kept beside the regions, and is another where they were
    /// lost and registered anew.
    pub cache: Option<Standing>,
    /// The registered regions, if they were asked for and the registry can be relied on: one without a generation
    /// of the cache may have been lost and decides nothing.
    pub regions: Option<Vec<Box<str>>>,
}

/// What is stored under a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remote {
    /// The stored bytes.
    pub value: Option<Bytes>,
    /// Remaining life of the value; `None` without a value or without an end.
    pub remaining: Option<Duration>,
    /// Whether a load or put runs.
    pub leased: bool,
    /// How long stores are still refused.
    pub hold: Option<Duration>,
}

/// A point in time, to measure from and to show.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// To measure from.
    pub at: Instant,
    /// To show.
    pub wall: SystemTime,
}

impl Moment {
    /// The present.
    #[must_use]
    pub fn now() -> Self {
        Self {
            at: Instant::now(),
            wall: SystemTime::now(),
        }
    }
}

/// The state of the connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LinkState {
    /// No shared tier.
    Absent,
    /// Nothing has been tried yet, or the first attempt runs.
    Connecting,
    /// The last answer was one.
    Connected {
        /// Since when.
        since: Moment,
        /// What does not work all the same, and what that means, for people.
        missing: Arc<[Box<str>]>,
    },
    /// Being retried.
    Down {
        /// Since when.
        since: Moment,
        /// The latest failure, without secrets.
        why: Arc<str>,
    },
    /// Closed by its owner.
    Closed,
}
