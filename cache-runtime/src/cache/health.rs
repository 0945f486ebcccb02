//! How a cache is doing.

use std::time::SystemTime;

use crate::{bus::Hearing, engine::Core, tiers::LinkState};

/// A report on Redis and on what waits for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// The connection to Redis.
    pub redis: RedisHealth,
    /// How this process hears of the evictions of others.
    pub bus: BusHealth,
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
    /// Commands are answered, and some are refused to this account, or some primaries of a cluster are down. The rest works.
    Degraded {
        /// When the connection was made.
        since: SystemTime,
        /// The commands, each with what it means: `SCAN: …`; the primaries, each with why: `the primary 10.0.0.1:6379: …`.
        missing: Vec<String>,
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

/// How this process hears of the evictions of others.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BusHealth {
    /// The cache has memory only: there are no others.
    NotConfigured,
    /// Every message is heard.
    Listening,
    /// Messages about some keys are not heard, because a primary of the cluster is not: memory serves nothing of these, and what it has of all others.
    Partly {
        /// Which primary, and why.
        why: String,
    },
    /// The subscription is being made or made again: memory takes nothing in, and serves nothing from before.
    Connecting {
        /// Why it is not there.
        why: String,
    },
    /// The server allows or knows no publish/subscribe: memory keeps values for
    /// [`Memory::max_age_without_bus`](crate::Memory::max_age_without_bus).
    Unsupported {
        /// What it said.
        why: String,
    },
}

impl RedisHealth {
    /// Whether commands are answered.
    pub(super) const fn is_up(&self) -> bool {
        matches!(self, Self::Connected { .. } | Self::Degraded { .. })
    }
}

impl Health {
    /// Whether everything that is configured works.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.queued_evictions == 0
            && matches!(self.bus, BusHealth::NotConfigured | BusHealth::Listening)
            && matches!(
                self.redis,
                RedisHealth::NotConfigured | RedisHealth::Connected { .. }
            )
    }

    pub(super) fn of(core: &Core) -> Self {
        let redis = match core.tier.state() {
            LinkState::Absent => RedisHealth::NotConfigured,
            LinkState::Connecting => RedisHealth::Connecting,
            LinkState::Connected { since, missing } if missing.is_empty() => {
                RedisHealth::Connected { since: since.wall }
            }
            LinkState::Connected { since, missing } => RedisHealth::Degraded {
                since: since.wall,
                missing: missing.iter().map(|it| it.to_string()).collect(),
            },
            LinkState::Down { since, why } => RedisHealth::Down {
                since: since.wall,
                why: why.to_string(),
            },
            LinkState::Closed => RedisHealth::Closed,
        };
        let bus = match core.coherence.hearing() {
            Hearing::Alone => BusHealth::NotConfigured,
            Hearing::Listening => match core.coherence.silence() {
                None => BusHealth::Listening,
                Some(why) => BusHealth::Partly {
                    why: why.to_string(),
                },
            },
            Hearing::Deaf(why) => BusHealth::Connecting {
                why: why.to_string(),
            },
            Hearing::NoBus(why) => BusHealth::Unsupported {
                why: why.to_string(),
            },
        };
        Self {
            redis,
            bus,
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
            RedisHealth::Degraded { missing, .. } => {
                write!(f, "Redis: connected, but: {}", missing.join("; "))?;
            }
            RedisHealth::Down { why, .. } => write!(f, "Redis: down ({why})")?,
            RedisHealth::Closed => f.write_str("Redis: closed")?,
        }
        match &self.bus {
            BusHealth::NotConfigured | BusHealth::Listening => {}
            BusHealth::Partly { why } => write!(f, ", not hearing of some keys ({why})")?,
            BusHealth::Connecting { why } => write!(f, ", not hearing others ({why})")?,
            BusHealth::Unsupported { why } => write!(f, ", without publish/subscribe ({why})")?,
        }
        if self.queued_evictions > 0 {
            write!(f, ", {} evictions queued", self.queued_evictions)?;
        }
        Ok(())
    }
}

impl std::error::Error for Health {}
