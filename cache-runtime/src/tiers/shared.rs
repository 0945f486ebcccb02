//! The port of the tier a fleet shares.
//!
//! Object-safe (futures are boxed), so that another store, or a faulty one, can take its place. What the calls must do to keep the
//! promise is the protocol of leases: every fill presents one, every eviction breaks it.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::TierError;
use super::words::{
    Acquire, Acquired, Labelled, Labels, LinkState, Read, Remote, Removal, Removed, Store, Stored,
};
use crate::bus::{Listener, Manner};
use crate::entry::Token;
use crate::key::Pattern;
use crate::tags::{Label, Standing};

/// The future of one call.
pub type Fut<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The tier shared by the processes of a fleet.
///
/// An instance belongs to one cache of one process; those of one cache's name in all processes share everything, those of different
/// names nothing. Keys are encoded logical keys, without the cache's name. [The module](crate::tier) says what has to hold.
pub trait Tier: Send + Sync + Debug {
    /// Whether there is a shared tier at all: only the one of a cache that has none says no.
    fn is_present(&self) -> bool {
        true
    }

    /// The stored bytes, and after them how these labels stand; one round trip, and without labels one plain command.
    /// Creates nothing. What is not a string of bytes reads as none and is counted in
    /// [`foreign_types`](Self::foreign_types).
    fn read<'a>(
        &'a self,
        key: &'a str,
        labels: &'a [Label],
        within: Duration,
    ) -> Fut<'a, Result<Read, TierError>>;

    /// How these labels stand, in their order. Creates nothing.
    fn standings<'a>(
        &'a self,
        labels: &'a [Label],
        within: Duration,
    ) -> Fut<'a, Result<Vec<Standing>, TierError>>;

    /// What a load has to know of its labels; what has no generation gets one. Without a question no command is sent.
    fn labelled<'a>(
        &'a self,
        ask: Labels<'a>,
        within: Duration,
    ) -> Fut<'a, Result<Labelled, TierError>>;

    /// Asks for the right to fill a key, and in the same round trip what [`labelled`](Self::labelled) answers. After an
    /// error the lease may have been taken: release it.
    fn acquire<'a>(
        &'a self,
        key: &'a str,
        ask: Acquire,
        labels: Labels<'a>,
        within: Duration,
    ) -> Fut<'a, Result<(Acquired, Labelled), TierError>>;

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

    /// Gives a lease back after a load that failed, and notes for `pause` that it did, for those who
    /// [heed](Acquire::heeds_failures) that; `false`, and no note, if the lease was lost. Who waits for the lease is told; an eviction of the
    /// key removes the note.
    fn fail<'a>(
        &'a self,
        key: &'a str,
        token: Token,
        pause: Duration,
        within: Duration,
    ) -> Fut<'a, Result<bool, TierError>>;

    /// Gives a lease back, and wakes who waits for it; callable from where nothing can be awaited. The queue is bounded; what does not fit
    /// is left to expire.
    fn release_later(&self, key: &str, token: Token);

    /// Evicts or expires keys and labels, all in one round trip, and announces it ([`Removal::news`]). `within` bounds each batch; what earlier
    /// batches did stays done when a later one fails.
    ///
    /// A label's generation is replaced, deleted before it is written, so that it works when the server is out of memory.
    /// One with a hold becomes [`Standing::Held`] for so long; a hold is extended, never shortened or removed.
    fn remove<'a>(
        &'a self,
        what: Removal<'a>,
        within: Duration,
    ) -> Fut<'a, Result<Removed, TierError>>;

    /// Evicts or expires every key the pattern matches, and announces it when all is gone; how many values
    /// went or were marked. What was loaded before the call under a key that matches is not stored after it, whenever it is stored: also not
    /// between a look at its value and one at its lease. Holds stay. `batch_within` bounds each batch. After an error nothing is known about the rest.
    fn sweep<'a>(
        &'a self,
        pattern: &'a Pattern,
        manner: Manner,
        batch_within: Duration,
    ) -> Fut<'a, Result<u64, TierError>>;

    /// Frees the memory of entries below a region (of all, where it is empty) whose generations are dead: `dead` looks at a
    /// logical key and the first bytes stored under it, while other calls go on. Never touches leases, nor an entry stored since it was
    /// looked at.
    /// Returns how many are gone.
    fn reclaim<'a>(
        &'a self,
        region: &'a str,
        dead: &'a (dyn Fn(&str, &Bytes) -> bool + Sync),
        batch_within: Duration,
    ) -> Fut<'a, Result<u64, TierError>>;

    /// Sets who hears of the bus, once, before the first [`wake`](Self::wake). One that can hear of nothing says so by
    /// [`Listener::unsupported`]: memory is then believed for `max_age_without_bus` only. A tier that is closed says nothing more, and one
    /// that is dropped lets its listener go.
    fn listen(&self, listener: Arc<dyn Listener>);

    /// Counts data connections: two answers under different numbers may come from different servers.
    fn connection(&self) -> u64;

    /// What is stored under a key, for people.
    fn inspect<'a>(&'a self, key: &'a str, within: Duration) -> Fut<'a, Result<Remote, TierError>>;

    /// The server's time in milliseconds since the Unix epoch, carried by a monotonic clock.
    fn now(&self) -> u64;

    /// How many reads met what is not even a string of bytes.
    fn foreign_types(&self) -> u64 {
        0
    }

    /// Whether there is a connection, and why not.
    fn state(&self) -> LinkState;

    /// Waits until connected; `false` if that took longer than `within`.
    fn connected_within<'a>(&'a self, within: Duration) -> Fut<'a, bool>;

    /// Makes sure the background task runs; starts it on the current runtime if it never ran or its
    /// runtime is gone. Cheap when it runs. Every other call does this by itself.
    fn wake(&self) {}

    /// Stops the background task and sends what [`release_later`](Self::release_later) queued; the
    /// number that could not be sent. Every later call fails.
    fn close<'a>(&'a self, within: Duration) -> Fut<'a, usize>;

    /// Sets what is called after every connection, the first included. It runs on the background
    /// task and does not block. A tier that cannot lose its store need not call it.
    fn on_reconnect(&self, hook: Arc<dyn Fn() + Send + Sync>) {
        drop(hook);
    }

    /// Sets what is called when the tier has found another server than before, in its background task and before any command goes there: the
    /// other may lack what the last one has confirmed. Whether that can happen at all.
    fn on_move(&self, hook: Arc<dyn Fn() + Send + Sync>) -> bool {
        drop(hook);
        false
    }
}
