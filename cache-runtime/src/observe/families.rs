//! Every figure that leaves the process by a name: one table, for the text that Prometheus reads and for the `metrics` facade.
//!
//! The names are a contract; `docs/observability.md` shows the same table, and a test compares them.

use super::{Histogram, SiteStats, Stats};

/// What one name stands for.
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) figures: Figures,
}

/// A number of a site.
type Count = fn(&SiteStats) -> u64;

/// Where its figures are. All have the label `cache`.
pub(super) enum Figures {
    /// What only grows, by `site`.
    Counter(Count),
    /// The same by `site` and by another label.
    CounterBy(&'static str, &'static [(&'static str, Count)]),
    /// What is there now, by `site`.
    SiteGauge(Count),
    /// What is there now; `None` where there is no such thing.
    Gauge(fn(&Stats) -> Option<f64>),
    /// Durations in seconds, by `site`.
    SiteTimes(fn(&SiteStats) -> &Histogram),
    /// Durations in seconds.
    Times(fn(&Stats) -> &Histogram),
}

impl Figures {
    /// As Prometheus calls it.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Counter(_) | Self::CounterBy(..) => "counter",
            Self::SiteGauge(_) | Self::Gauge(_) => "gauge",
            Self::SiteTimes(_) | Self::Times(_) => "histogram",
        }
    }
}

/// A figure of a family.
pub(super) enum Figure<'s> {
    Counter(u64),
    Gauge(f64),
    Times(&'s Histogram),
}

/// What tells figures of a family apart, beside the cache.
pub(super) type Labels<'s> = Vec<(&'static str, &'s str)>;

#[expect(
    clippy::cast_precision_loss,
    reason = "gauges are floats everywhere; what is beyond 53 bits is not told apart"
)]
const fn float(number: u64) -> f64 {
    number as f64
}

impl Family {
    const fn new(name: &'static str, help: &'static str, figures: Figures) -> Self {
        Self {
            name,
            help,
            figures,
        }
    }

    /// Its figures, each with its labels.
    pub(super) fn each<'s>(&self, stats: &'s Stats, mut tell: impl FnMut(Labels<'s>, Figure<'s>)) {
        let sites = || stats.sites.iter().map(|(name, site)| (name.as_str(), site));
        match &self.figures {
            Figures::Counter(of) => {
                sites()
                    .for_each(|(name, site)| tell(vec![("site", name)], Figure::Counter(of(site))));
            }
            Figures::CounterBy(label, kinds) => {
                for (name, site) in sites() {
                    for (kind, of) in *kinds {
                        let labels = vec![("site", name), (*label, *kind)];
                        tell(labels, Figure::Counter(of(site)));
                    }
                }
            }
            Figures::SiteGauge(of) => {
                sites().for_each(|(name, site)| {
                    tell(vec![("site", name)], Figure::Gauge(float(of(site))))
                });
            }
            Figures::Gauge(of) => {
                if let Some(figure) = of(stats) {
                    tell(Vec::new(), Figure::Gauge(figure));
                }
            }
            Figures::SiteTimes(of) => {
                sites()
                    .for_each(|(name, site)| tell(vec![("site", name)], Figure::Times(of(site))));
            }
            Figures::Times(of) => tell(Vec::new(), Figure::Times(of(stats))),
        }
    }
}

/// See the module.
pub(super) static FAMILIES: [Family; 32] = {
    use Figures::{Counter, CounterBy, Gauge, SiteGauge, SiteTimes, Times};
    [
        Family::new(
            "cache_hits_total",
            "Calls answered with a fresh value of a tier.",
            CounterBy(
                "tier",
                &[("memory", |it| it.l1_hits), ("redis", |it| it.l2_hits)],
            ),
        ),
        Family::new(
            "cache_stale_hits_total",
            "Calls answered with a value past its ttl.",
            Counter(|it| it.stale_hits),
        ),
        Family::new(
            "cache_misses_total",
            "Calls that found a value in neither tier.",
            Counter(|it| it.misses),
        ),
        Family::new(
            "cache_shared_total",
            "Misses answered by another call's load.",
            Counter(|it| it.shared),
        ),
        Family::new(
            "cache_bypassed_total",
            "Calls that neither read nor wrote the cache.",
            Counter(|it| it.bypassed),
        ),
        Family::new(
            "cache_loads_total",
            "Runs of the origin.",
            Counter(|it| it.loads),
        ),
        Family::new(
            "cache_load_errors_total",
            "Runs of the origin that ended in an error.",
            Counter(|it| it.load_errors),
        ),
        Family::new(
            "cache_load_seconds",
            "How long runs of the origin took.",
            SiteTimes(|it| &it.load_times),
        ),
        Family::new(
            "cache_loading",
            "Runs of the origin now.",
            SiteGauge(|it| it.loading),
        ),
        Family::new(
            "cache_waiting",
            "Calls that wait for another call's load now.",
            SiteGauge(|it| it.waiting),
        ),
        Family::new(
            "cache_wait_timeouts_total",
            "Waits that ended before the load they waited for.",
            Counter(|it| it.wait_timeouts),
        ),
        Family::new(
            "cache_timeouts_total",
            "Calls that gave up after hard_timeout.",
            Counter(|it| it.timeouts),
        ),
        Family::new(
            "cache_refreshes_total",
            "Refreshes begun in the background.",
            Counter(|it| it.refreshes),
        ),
        Family::new(
            "cache_refresh_errors_total",
            "Refreshes whose load ended in an error.",
            Counter(|it| it.refresh_errors),
        ),
        Family::new(
            "cache_refreshes_skipped_total",
            "Refreshes that did not begin because too many ran.",
            Counter(|it| it.refreshes_skipped),
        ),
        Family::new(
            "cache_not_modified_total",
            "Loads that kept the value they had in hand.",
            Counter(|it| it.not_modified),
        ),
        Family::new("cache_puts_total", "Values written.", Counter(|it| it.puts)),
        Family::new(
            "cache_not_stored_total",
            "Values returned and not stored.",
            CounterBy(
                "reason",
                &[
                    ("overtaken", |it| it.refused_stores),
                    ("oversized", |it| it.oversized),
                    ("unserializable", |it| it.unserializable),
                ],
            ),
        ),
        Family::new(
            "cache_evictions_total",
            "Evictions asked for.",
            Counter(|it| it.evictions),
        ),
        Family::new(
            "cache_evicted_total",
            "What was selected in evictions.",
            CounterBy(
                "kind",
                &[
                    ("key", |it| it.evicted_keys),
                    ("pattern", |it| it.evicted_patterns),
                    ("region", |it| it.evicted_regions),
                    ("tag", |it| it.evicted_tags),
                    ("scope", |it| it.evicted_scopes),
                    ("all", |it| it.evicted_all),
                ],
            ),
        ),
        Family::new(
            "cache_decode_errors_total",
            "Stored bytes that were no value.",
            Counter(|it| it.decode_errors),
        ),
        Family::new(
            "cache_consistency_checks_total",
            "Hits compared with the origin.",
            Counter(|it| it.consistency_checks),
        ),
        Family::new(
            "cache_consistency_differences_total",
            "Compared hits that were no longer the origin's.",
            Counter(|it| it.consistency_differences),
        ),
        Family::new(
            "cache_events_dropped_total",
            "Calls that hooks were not told of.",
            Counter(|it| it.events_dropped),
        ),
        Family::new(
            "cache_memory_entries",
            "Entries in memory now.",
            Gauge(|it| Some(float(it.memory.entries))),
        ),
        Family::new(
            "cache_memory_bytes",
            "Bytes of keys and encoded values in memory now, estimated.",
            Gauge(|it| Some(float(it.memory.bytes))),
        ),
        Family::new(
            "cache_start_time_seconds",
            "When the cache was built, in seconds since the Unix epoch.",
            Gauge(|it| {
                let since = it.started.duration_since(std::time::SystemTime::UNIX_EPOCH);
                since.ok().map(|it| it.as_secs_f64())
            }),
        ),
        Family::new(
            "cache_redis_up",
            "Whether Redis is connected; absent without one.",
            Gauge(|it| it.redis.connected.map(|up| f64::from(u8::from(up)))),
        ),
        Family::new(
            "cache_redis_errors_total",
            "Redis commands that failed.",
            CounterBy(
                "kind",
                &[
                    ("timeout", |it| it.redis_timeouts),
                    ("unavailable", |it| it.redis_unavailable),
                    ("refused", |it| it.redis_refused),
                    ("busy", |it| it.redis_busy),
                    ("protocol", |it| it.redis_protocol),
                ],
            ),
        ),
        Family::new(
            "cache_redis_round_trip_seconds",
            "How long Redis took to answer.",
            Times(|it| &it.redis.round_trips),
        ),
        Family::new(
            "cache_queued_evictions",
            "Evictions that Redis has not confirmed.",
            Gauge(|it| Some(float(it.redis.queued_evictions))),
        ),
        Family::new(
            "cache_sites",
            "Sites with figures of their own.",
            Gauge(|it| Some(float(it.sites.len() as u64))),
        ),
    ]
};
