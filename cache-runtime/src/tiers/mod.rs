//! Where entries live, as the engine sees it.
//!
//! The engine must not ask "is Redis configured?", and must be testable with a store that fails on
//! command. So the shared tier is a port: [`Tier`], with [`NoTier`] as its null object and the
//! Redis tier behind it. The memory tier is always there and needs none.
//!
//! Every call of the port has a deadline that covers everything (waiting for a permit, for the first
//! connection, for the answer), never panics, and after a failure leaves at most a lease behind that
//! expires by itself. Tiers know keys, tokens and patterns; they import nothing of the engine.

mod commands;
mod error;
pub(crate) mod memory;
mod none;
#[cfg(feature = "redis")]
pub(crate) mod redis;
mod shared;
mod words;

pub(crate) use commands::{Commands, ServerFacts};
pub use commands::{RedisReply, RedisScript};
pub use error::{ErrorKind, TierError};
pub(crate) use none::NoTier;
pub use shared::{Fut, Tier};
pub use words::{
    Acquire, Acquired, Announce, Eviction, LabelEviction, Labelled, Labels, LeaseKind, LinkState,
    Moment, Read, Register, Remote, Removal, Removed, Store, Stored,
};
