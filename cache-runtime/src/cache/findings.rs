//! What is set up so that the cache does less than it could, or endangers what it holds: rules over what is known, nothing else.

use std::{fmt, time::Duration};

use super::{BusHealth, Health, RedisHealth};
use crate::{
    observe::{SiteStats, Stats, Terms},
    tiers::ServerFacts,
};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// It could be better.
    Advice,
    /// Something does not do what it is there for.
    Warning,
    /// Something does not work at all.
    Error,
}

/// Something that is set up wrongly; see [`Cache::report`](crate::Cache::report).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is, as a name that stays: `ttl-shorter-than-load`. All are in `docs/observability.md`.
    pub code: &'static str,
    /// The site it is about, if it is about one.
    pub site: Option<String>,
    /// What was found.
    pub what: String,
    /// What it means.
    pub means: &'static str,
    /// What to do.
    pub advice: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(site) = &self.site {
            write!(f, "{site}: ")?;
        }
        write!(f, "{}: {}. {}", self.what, self.means, self.advice)
    }
}

/// All that the rules look at.
pub(super) struct Facts {
    pub(super) stats: Stats,
    /// What sites ask for, by their names.
    pub(super) terms: Vec<(String, Terms)>,
    pub(super) health: Health,
    pub(super) redis_budget: Duration,
    /// `REDIS_URL` is set.
    pub(super) redis_url: bool,
    /// What the servers say; `Err` if they may not be asked, with why. Nothing if they were not.
    pub(super) servers: Result<Vec<ServerFacts>, String>,
}

/// So many loads, at least, before anything is said of how long they take.
const SOME_LOADS: u64 = 3;
/// So many calls, at least, before anything is said of how many hit.
const MANY_CALLS: u64 = 1_000;
/// Loads beyond this are never stored.
const LONGEST_LOAD: Duration = Duration::from_secs(30);

/// What is wrong, the worst first.
pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    of_redis(facts, &mut found);
    for server in facts.servers.iter().flatten() {
        of_server(server, &mut found);
    }
    for (name, terms) in &facts.terms {
        if let Some(site) = facts.stats.sites.get(name) {
            let mut of_it = Vec::new();
            of_site(site, terms, facts, &mut of_it);
            let named = of_it.into_iter().map(|finding| Finding {
                site: Some(name.clone()),
                ..finding
            });
            found.extend(named);
        }
    }
    // Two servers may say the same.
    let mut unique: Vec<Finding> = Vec::new();
    for finding in found {
        if !unique.contains(&finding) {
            unique.push(finding);
        }
    }
    // Those of one severity always in the same order.
    unique.sort_by(|one, other| {
        let worse = other.severity.cmp(&one.severity);
        worse.then_with(|| one.site.cmp(&other.site))
    });
    unique
}

fn of_redis(facts: &Facts, found: &mut Vec<Finding>) {
    match &facts.health.redis {
        RedisHealth::NotConfigured if facts.redis_url => found.push(Finding::new(
            Severity::Warning,
            "redis-url-unused",
            "`REDIS_URL` is set, and this cache has memory only",
            "each process loads for itself, and hears of no eviction of another",
            "Build the cache by `Cache::from_env()`, or give it the URL by `redis(…)`.",
        )),
        RedisHealth::Down { why, .. } => found.push(Finding::new(
            Severity::Error,
            "redis-down",
            format!("Redis cannot be reached: {why}"),
            "calls are answered from memory and from their origins",
            "Start it, or correct its URL; it is tried for ever.",
        )),
        RedisHealth::Degraded { missing, .. } => {
            found.extend(missing.iter().map(|missing| {
                Finding::new(
                    Severity::Warning,
                    "redis-degraded",
                    missing.clone(),
                    "the rest works",
                    "Give the account what `docs/operations.md` names under Permissions; look after a primary that is down.",
                )
            }));
        }
        _ => {}
    }
    if let BusHealth::Unsupported { why } = &facts.health.bus {
        found.push(Finding::new(
            Severity::Warning,
            "bus-unsupported",
            format!("there is no publish/subscribe: {why}"),
            "nobody tells of the evictions of other processes, so memory keeps values for `max_age_without_bus` only",
            "Permit PUBLISH, SUBSCRIBE and the cache's channels.",
        ));
    }
    if let Err(why) = &facts.servers {
        found.push(Finding::new(
            Severity::Advice,
            "server-unknown",
            format!("what the server does when it is full is not known: {why}"),
            "settings of the server that endanger leases or let stores fail are not found",
            "Permit INFO (`+info`).",
        ));
    }
    let trips = &facts.stats.redis.round_trips;
    if let Some(usual) = trips.quantile(0.5).filter(|_| trips.count() >= 100)
        && usual * 2 > facts.redis_budget
    {
        found.push(Finding::new(
            Severity::Warning,
            "budget-too-small",
            format!(
                "Redis usually answers within {usual:?}, and a call has {:?} for all its commands",
                facts.redis_budget
            ),
            "what Redis has is often given up for a load",
            "Bring Redis nearer, or raise `redis_budget`.",
        ));
    }
}

fn of_server(server: &ServerFacts, found: &mut Vec<Finding>) {
    if let Some((major, minor)) = server.version.filter(|version| *version < (6, 2)) {
        found.push(Finding::new(
            Severity::Error,
            "redis-too-old",
            format!("the server is Redis {major}.{minor}"),
            "the cache is made for 6.2 and later, and tested from there on",
            "Use Redis 6.2 or later, or Valkey.",
        ));
    }
    let policy = server.policy.as_deref().unwrap_or_default();
    match (server.max_memory, policy) {
        (Some(0), _) => found.push(Finding::new(
            Severity::Advice,
            "maxmemory-unset",
            "the server has no `maxmemory`",
            "it grows until its machine has no memory left, and is ended then",
            "Set `maxmemory`, and `maxmemory-policy allkeys-lru` on a server that is a cache and nothing else.",
        )),
        (Some(_), "volatile-ttl") => found.push(Finding::new(
            Severity::Warning,
            "maxmemory-takes-leases",
            "`maxmemory-policy` is `volatile-ttl`",
            "a server that is full takes leases first: loads are run twice, and what they bring is not stored",
            "Use `allkeys-lru` or `allkeys-lfu`.",
        )),
        (Some(_), "allkeys-random" | "volatile-random") => found.push(Finding::new(
            Severity::Warning,
            "maxmemory-takes-anything",
            format!("`maxmemory-policy` is `{policy}`"),
            "a server that is full takes what is in use as soon as anything else: leases, and generations, with which all their entries die",
            "Use `allkeys-lru` or `allkeys-lfu`.",
        )),
        (Some(most), "noeviction") => {
            let full = server.used_memory.is_some_and(|used| used >= most / 10 * 9);
            found.push(Finding::new(
                if full { Severity::Warning } else { Severity::Advice },
                if full { "redis-full" } else { "maxmemory-refuses" },
                if full {
                    "the server is nearly full, and `maxmemory-policy` is `noeviction`"
                } else {
                    "`maxmemory-policy` is `noeviction`"
                },
                "a server that is full refuses to store; evictions go on",
                "Use `allkeys-lru` or `allkeys-lfu` on a server that is a cache and nothing else, or give it more memory.",
            ));
        }
        _ => {}
    }
}

fn of_site(site: &SiteStats, terms: &Terms, facts: &Facts, found: &mut Vec<Finding>) {
    let usual = site.load_times.quantile(0.5);
    let usual = usual.filter(|_| site.load_times.count() >= SOME_LOADS);
    if let Some(usual) = usual {
        if terms.ttl.is_some_and(|ttl| ttl < usual) {
            let ttl = terms.ttl.unwrap_or_default();
            found.push(Finding::new(
                Severity::Warning,
                "ttl-shorter-than-load",
                format!("values live {ttl:?}, and a load usually takes {usual:?}"),
                "callers wait for loads more often than they hit",
                "Raise `ttl`, or serve the old value meanwhile: `stale_while_revalidate`.",
            ));
        }
        if usual > LONGEST_LOAD && facts.stats.redis.connected.is_some() {
            found.push(Finding::new(
                Severity::Error,
                "load-too-long",
                format!("a load usually takes {usual:?}"),
                "a lease is renewed for 30 seconds, so what such loads bring is not stored",
                "Make the load shorter, or compute the value elsewhere and `put` it.",
            ));
        }
        if terms.wait_timeout.is_some_and(|wait| wait < usual) && site.wait_timeouts > 0 {
            let wait = terms.wait_timeout.unwrap_or_default();
            found.push(Finding::new(
                Severity::Warning,
                "wait-shorter-than-load",
                format!("callers wait {wait:?} for a load that usually takes {usual:?}"),
                "they give up and load once more, and that is not stored",
                "Raise `wait_timeout`.",
            ));
        }
    }
    if let (Some(ttl), Some(negative)) = (terms.ttl, terms.negative_ttl)
        && negative > ttl
    {
        found.push(Finding::new(
            Severity::Advice,
            "negative-ttl-longer",
            format!("`negative_ttl` is {negative:?}, and `ttl` {ttl:?}"),
            "what is not there is believed longer than what is",
            "Make `negative_ttl` the shorter one, or evict when something is created.",
        ));
    }
    if terms.fleet && facts.stats.redis.connected.is_none() {
        found.push(Finding::new(
            Severity::Warning,
            "fleet-without-redis",
            "`stampede_protection` is for the fleet, and the cache has memory only",
            "each process loads for itself",
            "Give the cache a Redis, or say `\"process\"`.",
        ));
    }
    if terms.lacks_secret {
        found.push(Finding::new(
            Severity::Error,
            "secret-without-key",
            "an argument is `secret`, and the cache has no `key_secret`",
            "these calls bypass the cache",
            "Give all processes of the fleet the same `key_secret`.",
        ));
    }
    if terms.lies_anywhere && facts.stats.redis.connected.is_some() {
        let evicted = facts.stats.total.evicted_regions > 0;
        found.push(Finding::new(
            if evicted { Severity::Warning } else { Severity::Advice },
            "key-without-region",
            "its keys have no `:` in front of their first value",
            "they may lie in any region: evicting one scans the whole server, and holding one, as after a write that was given up, evicts and holds the whole cache",
            "Begin the key with a word and `:`, as in `order:{id}`.",
        ));
    }
    let unstored = site.oversized + site.unserializable;
    if unstored > 0 {
        found.push(Finding::new(
            Severity::Warning,
            "never-stored",
            format!(
                "{} values were larger than `max_value_bytes`, and {} had no stored form",
                site.oversized, site.unserializable
            ),
            "they are loaded anew by each call",
            "Cache less of it, raise `max_value_bytes`, or see why it does not serialize.",
        ));
    }
    let calls = site.l1_hits + site.l2_hits + site.stale_hits + site.misses;
    if let Some(ratio) = site
        .hit_ratio()
        .filter(|ratio| calls >= MANY_CALLS && *ratio < 0.05)
    {
        found.push(Finding::new(
            Severity::Advice,
            "rarely-hit",
            format!(
                "{:.1} % of {calls} calls were answered without a load",
                ratio * 100.0
            ),
            "the cache costs more than it saves",
            "See whether an argument makes every key another, raise `ttl`, or leave the cache out.",
        ));
    }
}

impl Finding {
    fn new(
        severity: Severity,
        code: &'static str,
        what: impl Into<String>,
        means: &'static str,
        advice: &'static str,
    ) -> Self {
        Self {
            severity,
            code,
            site: None,
            what: what.into(),
            means,
            advice,
        }
    }
}

#[cfg(test)]
mod tests;
