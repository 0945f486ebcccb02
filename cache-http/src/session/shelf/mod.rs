//! Where sessions are kept: the steps there are, each of them whole or not at all.
//!
//! Two things, which in a cluster are on different servers: a session, and a user's mark with the list of the user's sessions. A session with a user is alive
//! while it has the user's mark; taking the mark away ends all of them in one step, however many there are and whoever is writing one. So nothing depends on
//! the list, which is for people to look at.

mod memory;
mod redis;

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::digest::{SessionDigest, UserDigest};
pub(super) use memory::MemoryShelf;
pub(super) use redis::RedisShelf;

/// What a user's sessions are alive by. Random, so that a mark that was taken away or lost never comes again; nobody needs to guess one, who can write one can write sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark(u128);

impl Mark {
    pub(super) fn random() -> Self {
        Self(fastrand::u128(..))
    }

    fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(u128::from_be_bytes(bytes.try_into().ok()?)))
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for Mark {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(text, 16).map(Self)
    }
}

/// The marks a session is alive by: its own, and one that its user is about to get.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks(pub(super) [Option<Mark>; 2]);

impl Marks {
    pub(super) const fn one(mark: Mark) -> Self {
        Self([Some(mark), None])
    }

    pub(super) fn has(self, mark: Option<Mark>) -> bool {
        mark.is_some() && self.0.contains(&mark)
    }
}

/// A session, as it is loaded.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) data: Bytes,
    pub(super) left: Duration,
    /// How often it was written.
    pub(super) version: u64,
    pub(super) user: Option<UserDigest>,
    pub(super) marks: Marks,
}

/// A session, as it is written.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) data: Bytes,
    pub(super) life: Duration,
    pub(super) owner: Owner,
}

/// Whose session it is when it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Nobody,
    /// This user's, as it is already.
    Still(UserDigest),
    /// This user's from now on.
    Now(UserDigest, Mark),
}

/// What came of writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Saved {
    /// It was, so many times now.
    Done(u64),
    /// There is no such session, or it is not what the writer took it for.
    Refused,
}

/// What a session had that was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Removed {
    pub(super) user: Option<UserDigest>,
    pub(super) marks: Marks,
}

/// A session, as its user sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Described {
    pub(super) user: Option<UserDigest>,
    pub(super) marks: Marks,
    pub(super) created: SystemTime,
    pub(super) seen: SystemTime,
    pub(super) expires: SystemTime,
}

/// Which mark a user has to have.
#[derive(Clone, Copy, Debug)]
pub(super) enum Expected {
    Any,
    OneOf(Marks),
}

/// How a user's mark changes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    /// It goes, whatever it is.
    Gone,
    /// It becomes another, if it is the first; this session stays listed.
    To {
        from: Mark,
        to: Mark,
        keeping: SessionDigest,
    },
}

/// Redis did not answer, or not to this.
#[derive(Clone, Copy, Debug)]
pub(super) struct Away;

/// How late the last sight of a session may be noted: a read is not a write each time.
const SIGHT: Duration = Duration::from_secs(30);

/// How many sessions of a user are listed. Revoking all does not depend on it.
const MOST_LISTED: usize = 1000;

#[cfg(test)]
mod tests;

/// Redis, or this process.
#[derive(Debug)]
pub(super) enum Shelf {
    Redis(RedisShelf),
    Memory(MemoryShelf),
}

macro_rules! steps {
    ($($(#[$doc:meta])* fn $name:ident(&self $(, $arg:ident: $type:ty)*) -> $result:ty;)*) => {
        impl Shelf {
            $($(#[$doc])*
            pub(super) async fn $name(&self $(, $arg: $type)*) -> Result<$result, Away> {
                match self {
                    Self::Redis(shelf) => shelf.$name($($arg),*).await,
                    Self::Memory(shelf) => Ok(shelf.$name($($arg),*)),
                }
            })*
        }
    };
}

steps! {
    /// A session, alive or not; sees it.
    fn load(&self, session: SessionDigest) -> Option<Stored>;
    /// Creates a session; false if there is one of that name.
    fn create(&self, session: SessionDigest, draft: &Draft) -> bool;
    /// Writes a session that is there; where it is said how often it was written, not if others have written it since.
    fn save(&self, session: SessionDigest, draft: &Draft, version: Option<u64>) -> Saved;
    /// Deletes a session, if it is this user's, where one is named.
    fn delete(&self, session: SessionDigest, of: Option<UserDigest>) -> Option<Removed>;
    /// The same, so that what was asked of Redis before, without an answer, does not create it later.
    fn bury(&self, session: SessionDigest, of: Option<UserDigest>) -> Option<Removed>;
    /// Lets a session that is alive by a mark outlive it; false if there is none.
    fn keep(&self, session: SessionDigest, mark: Mark, next: Mark) -> bool;
    /// Tells of a session, alive or not.
    fn describe(&self, session: SessionDigest) -> Option<Described>;
    /// A user's mark.
    fn mark(&self, user: UserDigest) -> Option<Mark>;
    /// Puts a session on its user's list, and tells the mark, which is made if need be; nothing if it is not the expected one.
    fn enlist(&self, user: UserDigest, session: SessionDigest, life: Duration, expected: Expected) -> Option<Mark>;
    /// Changes a user's mark, and tells which sessions were listed; nothing if it was another.
    fn replace(&self, user: UserDigest, change: Change) -> Option<Vec<SessionDigest>>;
    /// A user's mark and sessions, dead ones among them.
    fn list(&self, user: UserDigest) -> (Option<Mark>, Vec<SessionDigest>);
    /// Takes a session from its user's list.
    fn delist(&self, user: UserDigest, session: SessionDigest) -> ();
}
