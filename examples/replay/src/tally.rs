//! What came of the requests; tallies of tasks and processes add up.

use std::time::Duration;

use cache_runtime::SiteStats;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::catalogue::Product;

/// Counted where the answer was seen, except what only the cache knows.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    pub(crate) wrong_values: u64,
    /// Runs of the annotated function's body.
    pub(crate) loads: u64,
    pub(crate) l1_hits: u64,
    pub(crate) l2_hits: u64,
    pub(crate) shared: u64,
    pub(crate) refused_stores: u64,
    pub(crate) redis_errors: u64,
    pub(crate) latency: Latency,
}

impl Tally {
    /// Counts one answer.
    pub(crate) fn judge(
        &mut self,
        answer: &Result<Product, rusqlite::Error>,
        truth: Option<&Product>,
        took: Duration,
    ) {
        self.requests += 1;
        self.latency.record(took);
        match answer {
            Ok(product) if Some(product) == truth => {}
            Ok(_) => self.wrong_values += 1,
            Err(_) => self.errors += 1,
        }
    }

    /// Takes over what the cache of this process counted.
    pub(crate) fn take_cache_counters(&mut self, stats: &SiteStats) {
        self.l1_hits = stats.l1_hits;
        self.l2_hits = stats.l2_hits;
        self.shared = stats.shared;
        self.refused_stores = stats.refused_stores;
        self.redis_errors = stats.redis_errors;
    }

    pub(crate) fn add(&mut self, other: &Tally) {
        self.requests += other.requests;
        self.errors += other.errors;
        self.wrong_values += other.wrong_values;
        self.loads += other.loads;
        self.l1_hits += other.l1_hits;
        self.l2_hits += other.l2_hits;
        self.shared += other.shared;
        self.refused_stores += other.refused_stores;
        self.redis_errors += other.redis_errors;
        self.latency.add(&other.latency);
    }

    /// The share of requests that did not reach the database.
    pub(crate) fn hit_ratio(&self) -> f64 {
        1.0 - self.loads as f64 / self.requests.max(1) as f64
    }

    /// Whether every call answered, and answered what the database holds.
    pub(crate) fn is_right(&self) -> bool {
        self.errors == 0 && self.wrong_values == 0
    }
}

/// What is slower counts as this slow.
const HOUR: u64 = 3_600_000_000_000;

/// Latencies in nanoseconds, to three digits.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Vec<(u64, u64)>", into = "Vec<(u64, u64)>")]
pub(crate) struct Latency(Histogram<u64>);

impl Default for Latency {
    fn default() -> Latency {
        Latency(
            Histogram::new_with_bounds(1, HOUR, 3)
                .expect("the bounds are in order, and three digits are allowed"),
        )
    }
}

impl Latency {
    fn record(&mut self, took: Duration) {
        self.0
            .saturating_record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    fn add(&mut self, other: &Latency) {
        self.0
            .add(&other.0)
            .expect("all histograms have the same bounds");
    }

    /// In microseconds.
    pub(crate) fn percentile(&self, percent: f64) -> f64 {
        self.0.value_at_percentile(percent) as f64 / 1_000.0
    }

    /// In microseconds.
    pub(crate) fn max(&self) -> f64 {
        self.0.max() as f64 / 1_000.0
    }
}

impl From<Vec<(u64, u64)>> for Latency {
    fn from(counts: Vec<(u64, u64)>) -> Latency {
        let mut latency = Latency::default();
        for (value, count) in counts {
            latency.0.saturating_record_n(value, count);
        }
        latency
    }
}

impl From<Latency> for Vec<(u64, u64)> {
    fn from(latency: Latency) -> Vec<(u64, u64)> {
        latency
            .0
            .iter_recorded()
            .map(|step| (step.value_iterated_to(), step.count_at_value()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(price_cents: i64) -> Product {
        Product {
            id: 1,
            name: "product 1".to_owned(),
            price_cents,
        }
    }

    #[test]
    fn answers_are_right_wrong_or_missing() {
        let mut tally = Tally::default();
        let took = Duration::from_micros(5);
        tally.judge(&Ok(product(99)), Some(&product(99)), took);
        assert!(tally.is_right());
        tally.judge(&Ok(product(98)), Some(&product(99)), took);
        tally.judge(&Ok(product(99)), None, took);
        tally.judge(
            &Err(rusqlite::Error::QueryReturnedNoRows),
            Some(&product(99)),
            took,
        );
        assert_eq!(
            (tally.requests, tally.wrong_values, tally.errors),
            (4, 2, 1)
        );
        assert!(!tally.is_right());
    }

    #[test]
    fn tallies_survive_the_way_between_processes_and_add_up() {
        let mut tally = Tally {
            loads: 1,
            ..Tally::default()
        };
        for micros in 1..=100 {
            tally.judge(
                &Ok(product(99)),
                Some(&product(99)),
                Duration::from_micros(micros),
            );
        }
        let sent = serde_json::to_string(&tally).expect("it is data");
        let received: Tally = serde_json::from_str(&sent).expect("it was sent");
        tally.add(&received);
        assert_eq!((tally.requests, tally.loads), (200, 2));
        assert!((tally.hit_ratio() - 0.99).abs() < 1e-9);
        assert!(
            (tally.latency.percentile(50.0) - 50.0).abs() < 0.5,
            "{}",
            tally.latency.percentile(50.0)
        );
    }
}
