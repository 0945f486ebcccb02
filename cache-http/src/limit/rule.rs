//! One limit, ready to be asked: in Redis, or in memory.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{RedisHandle, RedisReply, RedisScript};
use http::request::Parts;

use super::algorithm::Algorithm;
use super::by::By;
use super::decision::{Decision, Verdict};
use super::memory::{Digest, Table};
use super::{Cost, Fallback, RateLimit};

static GCRA: RedisScript = RedisScript::new(include_str!("scripts/gcra.lua"));
static WINDOW: RedisScript = RedisScript::new(include_str!("scripts/window.lua"));

/// A limit with its numbers worked out.
#[derive(Clone)]
pub(super) struct Rule {
    pub(super) name: String,
    /// How many, in how long: what clients are told.
    pub(super) quota: (u32, Duration),
    pub(super) fallback: Fallback,
    /// What is counted by in Redis, for all instances.
    pub(super) shared: Algorithm,
    /// What is counted by in memory, for this instance.
    own: Algorithm,
    by: Arc<dyn By>,
    cost: Option<Cost>,
    /// Whose counts these are, fed with the limit itself.
    hasher: blake3::Hasher,
}

/// What a request is to a limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask {
    whose: Digest,
    cost: u64,
}

/// What came of asking.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    Counted(Verdict),
    /// Redis did not answer, and the limit says that this lets through.
    Uncounted,
    /// Redis did not answer, and the limit says that this lets nobody through.
    Unavailable,
}

impl Rule {
    pub(super) fn new(limit: RateLimit, instances: u32) -> Self {
        let name = limit.name.unwrap_or_else(|| limit.by.name());
        let shared = limit.form.algorithm(limit.n, limit.per, 1);
        let mut hasher = blake3::Hasher::new();
        hasher.update(&u64::try_from(name.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(name.as_bytes());
        // Other numbers are another limit: what was counted by the old ones says nothing to it.
        let (tag, one, other) = match shared {
            Algorithm::Gcra(gcra) => (b"g", gcra.interval, gcra.burst),
            Algorithm::Window(window) => (b"w", window.size, window.most),
        };
        hasher.update(tag);
        hasher.update(&one.to_be_bytes());
        hasher.update(&other.to_be_bytes());
        Self {
            name,
            quota: (limit.n, limit.per),
            fallback: limit.fallback,
            own: limit.form.algorithm(limit.n, limit.per, instances),
            shared,
            by: limit.by,
            cost: limit.cost,
            hasher,
        }
    }

    /// Nothing for a request the limit does not concern.
    pub(super) fn concerns(&self, parts: &Parts) -> Option<Ask> {
        let identity = self.by.identity(parts)?;
        let cost = self.cost.as_ref().map_or(1, |cost| cost(parts));
        if cost == 0 {
            return None;
        }
        let mut hasher = self.hasher.clone();
        hasher.update(identity.as_bytes());
        let mut whose = Digest::default();
        hasher.finalize_xof().fill(&mut whose);
        let cost = u64::from(cost);
        Some(Ask { whose, cost })
    }

    /// Counts it. Dropped on the way, it has counted or not.
    pub(super) async fn ask(
        &self,
        ask: Ask,
        redis: Option<&RedisHandle>,
        memory: &Table,
    ) -> Answer {
        let own = || Answer::Counted(memory.decide(ask.whose, self.own, ask.cost));
        let Some(redis) = redis else { return own() };
        match self.ask_redis(ask, redis).await {
            Some(verdict) => Answer::Counted(verdict),
            None => match self.fallback {
                Fallback::Memory => own(),
                Fallback::Allow => Answer::Uncounted,
                Fallback::Deny => Answer::Unavailable,
            },
        }
    }

    async fn ask_redis(&self, ask: Ask, redis: &RedisHandle) -> Option<Verdict> {
        let (script, unit, one, other): (_, fn(u64) -> Duration, _, _) = match self.shared {
            Algorithm::Gcra(it) => (&GCRA, Duration::from_micros, it.interval, it.burst),
            Algorithm::Window(it) => (&WINDOW, Duration::from_millis, it.size, it.most),
        };
        let key = redis.key("limit", &format!("{:032x}", u128::from_be_bytes(ask.whose)));
        let cost = ask.cost.min(self.shared.most());
        let arguments = [one, other, cost].map(|number| number.to_string());
        let arguments = arguments.each_ref().map(|text| text.as_bytes());
        match redis.script(script, &[&key], &arguments).await {
            Ok(reply) => Some(read(&reply)?.reads(unit)),
            Err(error) => {
                tracing::debug!(limit = self.name, %error, "a request is not counted in Redis");
                None
            }
        }
    }
}

/// Nothing for what neither script says.
fn read(reply: &RedisReply) -> Option<Decision> {
    let RedisReply::List(numbers) = reply else {
        return None;
    };
    let number = |at: usize| u64::try_from(numbers.get(at)?.as_int()?).ok();
    Some(Decision {
        allowed: number(0)? == 1,
        left: number(1)?,
        full: number(2)?,
        wait: number(3)?,
    })
}

#[cfg(test)]
mod tests;
