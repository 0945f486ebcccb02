//! A policy with an answer for everything.

use std::time::Duration;

use super::{Freshness, Lifetimes, MemoryUse, Policy, StampedeProtection};

const TTL: Duration = Duration::from_secs(600);
const JITTER: f64 = 0.1;
const WAIT_TIMEOUT: Duration = Duration::from_secs(5);

/// What one call does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resolved {
    pub(crate) lifetimes: Lifetimes,
    pub(crate) protection: StampedeProtection,
    pub(crate) wait_timeout: Duration,
    pub(crate) schema: u32,
    pub(crate) memory: MemoryUse,
    pub(crate) redis: bool,
    pub(crate) fresh: Freshness,
}

impl Resolved {
    pub(crate) fn new(asked: &Policy, defaults: &Policy) -> Self {
        let policy = asked.over(defaults);
        Self {
            lifetimes: Lifetimes {
                ttl: policy.ttl.unwrap_or(TTL),
                negative_ttl: policy.negative_ttl,
                jitter: policy.jitter.unwrap_or(JITTER),
                window: policy.fresh.window(),
            },
            protection: policy
                .stampede_protection
                .unwrap_or(StampedeProtection::Process),
            wait_timeout: policy.wait_timeout.unwrap_or(WAIT_TIMEOUT),
            schema: asked.schema_over(defaults),
            memory: policy.memory.unwrap_or(MemoryUse::On),
            redis: policy.redis.unwrap_or(true),
            fresh: policy.fresh,
        }
    }
}
