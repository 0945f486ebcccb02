//! Figures over the `metrics` facade: read from the counters now and then, never told by a call.
//!
//! Counters are told as they stand, gauges as they are. A facade's histogram takes single values only, so what has come since the last time is
//! told as the middle of its bucket, so often: right to an eighth.

use std::collections::HashMap;
use std::time::Duration;

use super::families::{FAMILIES, Figure, Figures, Labels};
use super::{Histogram, Stats};

/// What was told of durations so far, by name and site.
#[derive(Debug, Default)]
pub(crate) struct Published {
    times: HashMap<(&'static str, String), Histogram>,
    described: bool,
}

impl Published {
    pub(crate) fn publish(&mut self, cache: &str, stats: &Stats) {
        if !std::mem::replace(&mut self.described, true) {
            describe();
        }
        for family in &FAMILIES {
            family.each(stats, |labels, figure| {
                let site = labels.first().map_or("", |(_, site)| *site).to_owned();
                let labels = owned(cache, &labels);
                match figure {
                    Figure::Counter(count) => {
                        metrics::counter!(family.name, labels).absolute(count);
                    }
                    Figure::Gauge(figure) => metrics::gauge!(family.name, labels).set(figure),
                    Figure::Times(times) => {
                        let told = self.times.entry((family.name, site)).or_default();
                        tell(
                            &metrics::histogram!(family.name, labels),
                            &times.since(told),
                        );
                        told.clone_from(times);
                    }
                }
            });
        }
    }
}

fn describe() {
    for family in &FAMILIES {
        match &family.figures {
            Figures::Counter(_) | Figures::CounterBy(..) => {
                metrics::describe_counter!(family.name, family.help);
            }
            Figures::SiteGauge(_) | Figures::Gauge(_) => {
                metrics::describe_gauge!(family.name, family.help);
            }
            Figures::SiteTimes(_) | Figures::Times(_) => {
                metrics::describe_histogram!(family.name, metrics::Unit::Seconds, family.help);
            }
        }
    }
}

fn owned(cache: &str, labels: &Labels<'_>) -> Vec<metrics::Label> {
    let label =
        |(name, value): &(&'static str, &str)| metrics::Label::new(*name, (*value).to_owned());
    let cache = metrics::Label::new("cache", cache.to_owned());
    std::iter::once(cache)
        .chain(labels.iter().map(label))
        .collect()
}

fn tell(histogram: &metrics::Histogram, new: &Histogram) {
    let mut before = Duration::ZERO;
    for (bound, count) in new.buckets() {
        // A bucket is at most a quarter of its bound wide.
        let least = before.max(bound * 4 / 5);
        let middle = (least + bound) / 2;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        histogram.record_many(middle.as_secs_f64(), count);
        before = bound;
    }
}
