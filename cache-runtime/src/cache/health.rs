//! How a cache is doing.

use std::time::SystemTime;

use crate::{engine::Core, tiers::LinkState};

/// A report on Redis and on what waits for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// The connection to Redis.
    pub redis: RedisHealth,
    /// Evictions Redis has not confirmed; reads they concern do without Redis until they are delivered.
    pub queued_evictions: usize,
}

/// The connection to Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedisHealth {
    /// The cache has memory only.
    NotConfigured,
    /// The first connection is being made, at the first call or in [`Cache::ready`](crate::Cache::ready).
    Connecting,
    /// Commands are answered.
    Connected {
        /// When the connection was made.
        since: SystemTime,
    },
    /// Annotated functions answer from memory and from their origins; the connection is retried for ever.
    Down {
        /// When it was lost, or first not made.
        since: SystemTime,
        /// The latest failure; never with a password.
        why: String,
    },
    /// [`Cache::close`](crate::Cache::close) was called.
    Closed,
}

impl Health {
    /// Whether everything that is configured works.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.queued_evictions == 0
            && matches!(
                self.redis,
                RedisHealth::NotConfigured | RedisHealth::Connected { .. }
            )
    }

    pub(super) fn of(core: &Core) -> Self {
        let redis = match core.tier.state() {
            LinkState::Absent => RedisHealth::NotConfigured,
            LinkState::Connecting => RedisHealth::Connecting,
            LinkState::Connected { since } => RedisHealth::Connected { since: since.wall },
            LinkState::Down { since, why } => RedisHealth::Down {
                since: since.wall,
                why: why.to_string(),
            },
            LinkState::Closed => RedisHealth::Closed,
        };
        Self {
            redis,
            queued_evictions: core.journal.len(),
        }
    }
}

impl std::fmt::Display for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.redis {
            RedisHealth::NotConfigured => f.write_str("memory only")?,
            RedisHealth::Connecting => f.write_str("Redis: connecting")?,
            RedisHealth::Connected { .. } => f.write_str("Redis: connected")?,
            RedisHealth::Down { why, .. } => write!(f, "Redis: down ({why})")?,
            RedisHealth::Closed => f.write_str("Redis: closed")?,
        }
        if self.queued_evictions > 0 {
            write!(f, ", {} evictions queued", self.queued_evictions)?;
        }
        Ok(())
    }
}

impl std::error::Error for Health {}
