//! The central promise, as its tests put it: the functions that are called, the ways to evict, and who may see what when.
//!
//! A *row* is a version in some database; entries of three families show it. The random schedules run all this over a
//! model of Redis in one thread ([`Rows`] is a cell there), the processes over a real server (there it is a program of
//! its own); what is called, at random, is the same.

pub mod database;
mod fresh;
mod functions;
pub mod judge;
pub mod part;
pub mod player;
mod read;
pub mod records;
mod write;

use std::fmt::Display;
use std::future::Future;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::read::{How, Read};
pub use self::write::{Redis, Write};

/// The entries that show a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Family {
    /// With a tag that the key tells.
    Row,
    /// With a tag that only the value tells.
    Late,
    /// In a scope.
    Scoped,
    /// Below a region that an argument leads into.
    Led,
    /// In memory only, with a tag.
    Local,
}

/// How many families there are.
pub const FAMILIES: usize = 5;

/// How an eviction reaches the entries of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reach {
    /// By what breaks leases and removes values: it is seen by every command from then on.
    Key(Family),
    /// By a generation, which a process may know from before until the message arrives.
    Label(Family),
}

impl Reach {
    /// The entries it is about.
    pub fn family(self) -> Family {
        let (Self::Key(family) | Self::Label(family)) = self;
        family
    }
}

/// The database, as a load reaches it that may outlive its call.
pub trait Origin: Clone + Send + Sync + 'static {
    /// How long entries of a row live.
    fn ttl(&self, row: usize) -> Duration;

    /// What windows, pauses and periods are multiples of.
    fn unit(&self) -> Duration;

    /// Reads a row, which takes its time before and after it is seen.
    fn load(&self, row: usize) -> impl Future<Output = Result<u64, String>> + Send;

    /// A load has been told that this version is in hand.
    fn knew(&self, _family: Family, _row: usize, _version: u64) {}
}

/// The database, as one process reaches it.
pub trait Rows {
    /// The same for loads that may outlive their calls.
    type Origin: Origin;

    /// What those are given.
    fn origin(&self) -> Self::Origin;

    /// How long entries of a row live.
    fn ttl(&self, row: usize) -> Duration;

    /// The longest it takes; who loses patience does so after a few times that.
    fn longest(&self) -> Duration;

    /// Reads a row, which takes its time before and after it is seen.
    fn load(&self, row: usize) -> impl Future<Output = Result<u64, String>>;

    /// Changes a row, with pauses before and after; its version is told in between.
    fn commit(&self, row: usize, version: &AtomicU64) -> impl Future<Output = ()>;

    /// Whether an eviction by hand may now reach other rows as well, which hides what somebody has missed of theirs.
    fn reaches_others(&self) -> bool {
        true
    }

    /// A line of the story, where somebody reads it.
    fn tell(&self, _what: impl Display) {}
}

/// The future's output, or `None` if it was dropped before its end, as one in six is; but not before it was polled: a timeout looks at its
/// future first, at its deadline only then.
async fn dropped_sometimes<F: Future>(rows: &impl Rows, future: F) -> Option<F::Output> {
    if fastrand::u8(..6) > 0 {
        return Some(future.await);
    }
    let patience = rows.longest().mul_f64(4.0 * fastrand::f64());
    tokio::time::timeout(patience, future).await.ok()
}
