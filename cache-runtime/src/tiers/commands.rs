//! Commands of others beside the cache's own: the port, and what is said over it.
//!
//! Not every shared tier is a Redis, so this is no part of [`Tier`](super::Tier): a cache has it or has it not.

use std::fmt::Debug;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;

use super::{Fut, TierError};
use crate::observe::Histogram;

/// A Redis that can be spoken to directly, over the connection of the tier.
pub(crate) trait Commands: Send + Sync + Debug {
    /// The name of what belongs to the cache and is no entry.
    fn name(&self, kind: &str, slot: &str) -> String;

    /// How long it took to be answered, whoever asked.
    fn round_trips(&self) -> Histogram;

    /// What the servers say of themselves.
    fn survey(&self, within: Duration) -> Fut<'_, Result<Vec<ServerFacts>, TierError>>;

    /// Whether that may be tried where nobody has asked for it: an account with a name may not permit it, and the server would note that.
    fn may_be_asked(&self) -> bool;

    /// Sends one command to the server that has `key`. After an error that [is silence](TierError::is_silence) it may have been carried out.
    fn command<'a>(
        &'a self,
        key: &'a str,
        words: &'a [&'a [u8]],
        within: Duration,
    ) -> Fut<'a, Result<RedisReply, TierError>>;

    /// Runs a script where its first key is.
    fn script<'a>(
        &'a self,
        script: &'a RedisScript,
        keys: &'a [&'a str],
        arguments: &'a [&'a [u8]],
        within: Duration,
    ) -> Fut<'a, Result<RedisReply, TierError>>;
}

/// What a server says of itself; nothing where it does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServerFacts {
    /// Major and minor. Valkey says which Redis it is like.
    pub(crate) version: Option<(u32, u32)>,
    /// Bytes; zero: no bound.
    pub(crate) max_memory: Option<u64>,
    pub(crate) used_memory: Option<u64>,
    /// What goes when it is full.
    pub(crate) policy: Option<Box<str>>,
}

/// A Lua script for [`RedisHandle::script`](crate::RedisHandle::script); made once, in a `static`.
#[derive(Debug)]
pub struct RedisScript {
    source: &'static str,
    #[cfg_attr(
        not(feature = "redis"),
        expect(dead_code, reason = "nobody runs it then")
    )]
    digest: OnceLock<Box<str>>,
}

impl RedisScript {
    /// A script with this text.
    #[must_use]
    pub const fn new(source: &'static str) -> Self {
        Self {
            source,
            digest: OnceLock::new(),
        }
    }

    /// Its text.
    #[must_use]
    pub const fn source(&self) -> &'static str {
        self.source
    }

    /// What a server that knows it calls it; `of` is asked once.
    #[cfg(feature = "redis")]
    pub(super) fn digest(&self, of: impl FnOnce(&'static str) -> Box<str>) -> &str {
        self.digest.get_or_init(|| of(self.source))
    }
}

/// What Redis answered. An error it answered with is a [`CacheError`](crate::CacheError) instead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedisReply {
    /// There is nothing; also what Lua's `false` becomes.
    Nil,
    /// A whole number; what becomes of Lua's numbers too, without their fraction.
    Int(i64),
    /// A text, and a status as well: `OK`.
    Bytes(Bytes),
    /// Several answers in one.
    List(Vec<Self>),
}

impl RedisReply {
    /// The number, if it is one: an integer, or a text that is one (`GET` of a counter).
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Bytes(text) => std::str::from_utf8(text).ok()?.parse().ok(),
            Self::Nil | Self::List(_) => None,
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Bytes(text) => Some(text),
            _ => None,
        }
    }

    /// The answers in it, if it is a list; of nothing none.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(answers) => Some(answers),
            Self::Nil => Some(&[]),
            Self::Int(_) | Self::Bytes(_) => None,
        }
    }
}
