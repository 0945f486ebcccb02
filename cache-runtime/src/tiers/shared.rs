//! The port of the tier a fleet shares, and the words it is spoken to with.
//!
//! Object-safe (futures are boxed), so that tests can put a faulty store in its place. What the calls
//! must do to keep the promise is the protocol of leases: every fill presents one, every eviction
//! breaks it.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;

use super::TierError;
use crate::entry::Token;
use crate::key::Pattern;

/// The future of one call.
pub(crate) type Fut<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The tier shared by the processes of a fleet. Keys are encoded logical keys, without prefix.
pub(crate) trait SharedTier: Send + Sync + Debug {
    /// Whether there is a shared tier at all; the null tier says no.
    fn is_present(&self) -> bool;

    /// The stored bytes, by one plain command. A value of another Redis type reads as none and is
    /// counted in [`foreign_types`](Self::foreign_types).
    fn get<'a>(
        &'a self,
        key: &'a str,
        within: Duration,
    ) -> Fut<'a, Result<Option<Bytes>, TierError>>;

    /// Asks for the right to fill a key. After an error the lease may have been taken: release it.
    fn acquire<'a>(
        &'a self,
        key: &'a str,
        ask: Acquire,
        within: Duration,
    ) -> Fut<'a, Result<Acquired, TierError>>;

    /// Stores under a lease. After an error the value may have been stored; the lease may stand.
    fn store<'a>(
        &'a self,
        key: &'a str,
        entry: Store<'a>,
        within: Duration,
    ) -> Fut<'a, Result<Stored, TierError>>;

    /// Prolongs a lease to `life` from now; `false` if it was lost.
    fn renew<'a>(
        &'a self,
        key: &'a str,
        token: Token,
        life: Duration,
        within: Duration,
    ) -> Fut<'a, Result<bool, TierError>>;

    /// Gives a lease back; callable from where nothing can be awaited. The queue is bounded; what does not fit
    /// is left to expire.
    fn release_later(&self, key: &str, token: Token);

    /// Removes values and breaks leases. `within` bounds each batch; keys of earlier batches stay
    /// evicted when a later one fails.
    fn evict<'a>(
        &'a self,
        keys: &'a [Eviction<'a>],
        within: Duration,
    ) -> Fut<'a, Result<(), TierError>>;

    /// Evicts every key the pattern matches; how many values there were. `batch_within` bounds each
    /// batch. After an error nothing is known about the rest.
    fn sweep<'a>(
        &'a self,
        pattern: &'a Pattern,
        batch_within: Duration,
    ) -> Fut<'a, Result<u64, TierError>>;

    /// What is stored under a key, for people.
    fn inspect<'a>(&'a self, key: &'a str, within: Duration) -> Fut<'a, Result<Remote, TierError>>;

    /// The server's time in milliseconds since the Unix epoch, carried by a monotonic clock.
    fn now(&self) -> u64;

    /// How many reads met a value of another Redis type.
    fn foreign_types(&self) -> u64;

    /// Whether there is a connection, and why not.
    fn state(&self) -> LinkState;

    /// Waits until connected; `false` if that took longer than `within`.
    fn connected_within<'a>(&'a self, within: Duration) -> Fut<'a, bool>;

    /// Makes sure the background task runs; starts it on the current runtime if it never ran or its
    /// runtime is gone. Cheap when it runs. Every other call does this by itself.
    fn wake(&self);

    /// Stops the background task and sends what [`release_later`](Self::release_later) queued; the
    /// number that could not be sent. Every later call fails.
    fn close<'a>(&'a self, within: Duration) -> Fut<'a, usize>;

    /// Sets what is called after every connection, the first included. It runs on the background
    /// task and must not block.
    fn on_reconnect(&self, hook: Arc<dyn Fn() + Send + Sync>);
}

/// What a lease is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeaseKind {
    /// A load: asks, and waits if another has it.
    Load,
    /// A put: takes it by force.
    Put,
}

/// A request for a lease.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Acquire {
    /// The load that will present it.
    pub(crate) token: Token,
    /// The token of the value the caller has in hand and cannot serve.
    pub(crate) seen: Option<Token>,
    /// Do not look at the value at all (`refresh`).
    pub(crate) ignore_value: bool,
    /// How long it stands without a renewal.
    pub(crate) lease: Duration,
    pub(crate) kind: LeaseKind,
}

/// The answer to [`Acquire`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Acquired {
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
}

/// A value to store under a lease.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Store<'a> {
    pub(crate) token: Token,
    /// An entry of a higher version is left alone.
    pub(crate) schema_version: u32,
    pub(crate) bytes: &'a [u8],
    /// Kept at least 1 ms and at most a hundred years.
    pub(crate) life: Duration,
}

/// The answer to [`Store`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::enum_variant_names,
    reason = "`Stored` is the answer that means it"
)]
pub(crate) enum Stored {
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
pub(crate) struct Eviction<'a> {
    pub(crate) key: &'a str,
    /// Refuse stores this long; zero for not at all. Extends a hold, never shortens one.
    pub(crate) hold: Duration,
}

/// What is stored under a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Remote {
    pub(crate) value: Option<Bytes>,
    /// Remaining life of the value; `None` without a value or without an end.
    pub(crate) remaining: Option<Duration>,
    /// Whether a load or put runs.
    pub(crate) leased: bool,
    /// How long stores are still refused.
    pub(crate) hold: Option<Duration>,
}

/// A point in time, to measure from and to show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) at: Instant,
    pub(crate) wall: SystemTime,
}

impl Moment {
    pub(crate) fn now() -> Self {
        Self {
            at: Instant::now(),
            wall: SystemTime::now(),
        }
    }
}

/// The state of the connection.
#[derive(Clone, Debug)]
pub(crate) enum LinkState {
    /// No shared tier.
    Absent,
    /// Nothing has been tried yet, or the first attempt runs.
    Connecting,
    Connected {
        since: Moment,
    },
    /// Being retried.
    Down {
        since: Moment,
        /// The latest failure, without secrets.
        why: Arc<str>,
    },
    /// Closed by its owner.
    Closed,
}
