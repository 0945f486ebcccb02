//! What the page is told, apart from how the runtime has it.
//!
//! The runtime's figures grow, and their types are not a wire format. So each is copied here into a type of its own, once: what is added there appears on the page when
//! it is added here, and not before. Counters are since the cache was built; rates are made by who asks twice. What is zero is left out: most of it is, and the
//! page keeps ten minutes of it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cache_runtime::{
    BusHealth, Cache, Finding, Health, Histogram, RedisHealth, Severity, SiteStats,
};
use serde::Serialize;

macro_rules! figures {
    ($($name:ident: $of:ident,)*) => {
        /// Counters of a site, or of all of them.
        #[derive(Clone, Debug, Default, Serialize)]
        pub(super) struct Figures {
            $(#[serde(skip_serializing_if = "is_zero")] $name: u64,)*
            #[serde(skip_serializing_if = "Times::is_empty")]
            load_times: Times,
        }

        impl From<&SiteStats> for Figures {
            fn from(stats: &SiteStats) -> Self {
                Self {
                    $($name: stats.$of,)*
                    load_times: (&stats.load_times).into(),
                }
            }
        }
    };
}

figures! {
    memory_hits: l1_hits,
    redis_hits: l2_hits,
    stale_hits: stale_hits,
    misses: misses,
    shared: shared,
    bypassed: bypassed,
    loads: loads,
    load_errors: load_errors,
    timeouts: timeouts,
    wait_timeouts: wait_timeouts,
    refreshes: refreshes,
    refresh_errors: refresh_errors,
    refused_stores: refused_stores,
    puts: puts,
    evictions: evictions,
    evicted_keys: evicted_keys,
    evicted_patterns: evicted_patterns,
    evicted_regions: evicted_regions,
    evicted_tags: evicted_tags,
    evicted_scopes: evicted_scopes,
    evicted_all: evicted_all,
    redis_errors: redis_errors,
    redis_timeouts: redis_timeouts,
    redis_unavailable: redis_unavailable,
    redis_refused: redis_refused,
    redis_busy: redis_busy,
    redis_protocol: redis_protocol,
    decode_errors: decode_errors,
    oversized: oversized,
    unserializable: unserializable,
    checks: consistency_checks,
    differences: consistency_differences,
    waiting: waiting,
    loading: loading,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A histogram: of each bucket that has something, its upper bound in microseconds and how many are in it, in ascending order.
#[derive(Clone, Debug, Default, Serialize)]
struct Times(Vec<(u64, u64)>);

impl Times {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&Histogram> for Times {
    fn from(histogram: &Histogram) -> Self {
        let micros = |bound: Duration| bound.as_micros().try_into().unwrap_or(u64::MAX);
        let buckets = histogram.buckets();
        Self(
            buckets
                .map(|(bound, count)| (micros(bound), count))
                .collect(),
        )
    }
}

/// A cache as a whole.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Totals {
    #[serde(flatten)]
    figures: Figures,
    entries: u64,
    bytes: u64,
    #[serde(skip_serializing_if = "Times::is_empty")]
    redis_times: Times,
}

/// A cache at this moment.
#[derive(Debug, Serialize)]
pub(super) struct CacheView {
    pub(super) id: String,
    pub(super) name: String,
    /// Since it was built.
    uptime_ms: u64,
    pub(super) health: HealthView,
    pub(super) total: Totals,
    sites: Vec<SiteView>,
    findings: Vec<FindingView>,
}

#[derive(Debug, Serialize)]
struct SiteView {
    name: String,
    #[serde(flatten)]
    figures: Figures,
}

impl CacheView {
    pub(super) fn of(id: &str, cache: &Cache, findings: Vec<FindingView>) -> Self {
        let stats = cache.stats();
        let site = |(name, figures): (&String, &SiteStats)| SiteView {
            name: name.clone(),
            figures: figures.into(),
        };
        Self {
            id: id.to_owned(),
            name: cache.name().to_owned(),
            health: HealthView::of(&cache.health()),
            uptime_ms: milliseconds(stats.uptime),
            total: Totals {
                figures: (&stats.total).into(),
                entries: stats.memory.entries,
                bytes: stats.memory.bytes,
                redis_times: (&stats.redis.round_trips).into(),
            },
            sites: stats.sites.iter().map(site).collect(),
            findings,
        }
    }
}

/// Something that is set up wrongly.
#[derive(Clone, Debug, Serialize)]
pub(super) struct FindingView {
    level: Level,
    code: &'static str,
    site: Option<String>,
    what: String,
    means: &'static str,
    advice: &'static str,
}

impl From<Finding> for FindingView {
    fn from(finding: Finding) -> Self {
        Self {
            level: match finding.severity {
                Severity::Advice => Level::Off,
                Severity::Error => Level::Bad,
                _ => Level::Warning,
            },
            code: finding.code,
            site: finding.site,
            what: finding.what,
            means: finding.means,
            advice: finding.advice,
        }
    }
}

/// How a cache is doing, in words.
#[derive(Clone, Debug, Serialize)]
pub(super) struct HealthView {
    ok: bool,
    /// All of it in one line.
    pub(super) words: String,
    pub(super) redis: StateView,
    messages: StateView,
    queued_evictions: usize,
}

/// One of the things that are well or not.
#[derive(Clone, Debug, Serialize)]
pub(super) struct StateView {
    level: Level,
    pub(super) words: &'static str,
    /// Why, or what of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<String>,
    /// Milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) since_ms: Option<u64>,
}

/// How much of a reason to look.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    /// There is none here.
    Off,
    Good,
    Warning,
    Bad,
}

impl HealthView {
    fn of(health: &Health) -> Self {
        Self {
            ok: health.is_ok(),
            words: health.to_string(),
            redis: StateView::of_redis(&health.redis),
            messages: StateView::of_messages(&health.bus),
            queued_evictions: health.queued_evictions,
        }
    }

    /// What of it is told as an event when it changes: not the latest reason, nor how much is queued.
    pub(super) fn state(&self) -> State {
        State {
            words: [self.redis.words, self.messages.words],
            since_ms: self.redis.since_ms,
        }
    }
}

/// See [`HealthView::state`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct State {
    pub(super) words: [&'static str; 2],
    /// When the connection to Redis was made or lost; milliseconds since 1970.
    pub(super) since_ms: Option<u64>,
}

impl StateView {
    fn of_redis(redis: &RedisHealth) -> Self {
        match redis {
            RedisHealth::NotConfigured => Self::new(Level::Off, "Memory only"),
            RedisHealth::Connecting => Self::new(Level::Warning, "Connecting"),
            RedisHealth::Connected { since } => Self::new(Level::Good, "Connected").since(*since),
            RedisHealth::Degraded { since, missing } => Self {
                details: missing.clone(),
                ..Self::new(Level::Warning, "Connected, with limits").since(*since)
            },
            RedisHealth::Down { since, why } => {
                Self::new(Level::Bad, "Down").since(*since).because(why)
            }
            RedisHealth::Closed => Self::new(Level::Bad, "Closed"),
            _ => Self::new(Level::Warning, "Unknown to this page"),
        }
    }

    fn of_messages(bus: &BusHealth) -> Self {
        match bus {
            BusHealth::NotConfigured => Self::new(Level::Off, "No other processes"),
            BusHealth::Listening => Self::new(Level::Good, "Heard"),
            BusHealth::Partly { why } => Self::new(Level::Warning, "Partly heard").because(why),
            BusHealth::Connecting { why } => Self::new(Level::Bad, "Not heard").because(why),
            BusHealth::Unsupported { why } => {
                Self::new(Level::Warning, "Not supported by the server").because(why)
            }
            _ => Self::new(Level::Warning, "Unknown to this page"),
        }
    }

    fn new(level: Level, words: &'static str) -> Self {
        Self {
            level,
            words,
            details: Vec::new(),
            since_ms: None,
        }
    }

    fn since(self, since: SystemTime) -> Self {
        Self {
            since_ms: Some(unix_ms(since)),
            ..self
        }
    }

    fn because(self, why: &str) -> Self {
        Self {
            details: vec![why.to_owned()],
            ..self
        }
    }
}

/// Milliseconds since 1970; zero before.
pub(super) fn unix_ms(time: SystemTime) -> u64 {
    milliseconds(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// The most there is, where there is more.
pub(super) fn milliseconds(time: Duration) -> u64 {
    time.as_millis().try_into().unwrap_or(u64::MAX)
}
