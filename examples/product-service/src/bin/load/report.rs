//! The table, and the ratio.

use crate::drive::Figures;

#[derive(Debug)]
pub(crate) struct Report {
    /// Requests a second of each round, with the cache and without.
    rates: [Vec<f64>; 2],
}

impl Report {
    pub(crate) fn new() -> Report {
        let columns = [
            "round",
            "",
            "requests/s",
            "p50",
            "p95",
            "p99",
            "p99.9",
            "queries/request",
        ];
        row(&columns.map(str::to_owned));
        Report {
            rates: [Vec::new(), Vec::new()],
        }
    }

    pub(crate) fn add(&mut self, round: usize, name: &str, figures: Figures) {
        let requests = figures.latency.len();
        let rate = requests as f64 / figures.took.as_secs_f64();
        self.rates[usize::from(name == "without")].push(rate);
        let latency = |share| {
            format!(
                "{:.2} ms",
                figures.latency.value_at_quantile(share) as f64 / 1000.0
            )
        };
        let queries = format!("{:.3}", figures.queries as f64 / requests.max(1) as f64);
        row(&[
            round.to_string(),
            name.to_owned(),
            format!("{rate:.0}"),
            latency(0.5),
            latency(0.95),
            latency(0.99),
            latency(0.999),
            queries,
        ]);
        let unexpected: Vec<String> = figures
            .statuses
            .iter()
            .filter(|(status, _)| !matches!(status, 200 | 409))
            .map(|(status, number)| format!("{number} times {status}"))
            .collect();
        if !unexpected.is_empty() {
            println!(
                "  answers that were not expected: {}",
                unexpected.join(", ")
            );
        }
    }

    pub(crate) fn conclude(&self) {
        let [with, without] = &self.rates;
        let mut ratios: Vec<f64> = with
            .iter()
            .zip(without)
            .map(|(with, without)| with / without)
            .collect();
        ratios.sort_by(f64::total_cmp);
        if let (Some(least), Some(most)) = (ratios.first(), ratios.last()) {
            let median = ratios[ratios.len() / 2];
            println!(
                "\n{median:.1} times the requests with the cache ({least:.1} to {most:.1} in the rounds)"
            );
        }
    }
}

fn row(columns: &[String; 8]) {
    let [round, name, rate, p50, p95, p99, p999, queries] = columns;
    println!(
        "{round:>5}  {name:<14} {rate:>10} {p50:>10} {p95:>10} {p99:>10} {p999:>10} {queries:>16}"
    );
}
