//! Figures as the text that Prometheus reads: exposition format 0.0.4.
//!
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>

use std::fmt::Write as _;

use super::families::{FAMILIES, Figure, Labels};
use super::{Histogram, Stats};

/// Durations are told up to these, each twice the one before: from 16 µs to 67 s.
const BOUNDS: std::ops::RangeInclusive<u32> = 4..=26;

impl Stats {
    /// These figures as the text that Prometheus reads (exposition format 0.0.4), with `cache` as the label of that name.
    ///
    /// To be served as `text/plain; version=0.0.4`. The names are in `docs/observability.md`.
    ///
    /// ```
    /// use cache_runtime::{Cache, Policy, key};
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let cache = Cache::builder("shop").build().unwrap();
    /// cache.get_or_load(&key!("a"), &Policy::new(), || async { 1 }).await;
    /// let text = cache.stats().prometheus(cache.name());
    /// assert!(text.contains("cache_loads_total{cache=\"shop\",site=\"get_or_load\"} 1\n"));
    /// # });
    /// ```
    #[must_use]
    pub fn prometheus(&self, cache: &str) -> String {
        Self::prometheus_of([(cache, self)])
    }

    /// The same of several caches in one text; two texts behind one another would be none.
    #[must_use]
    pub fn prometheus_of<'s>(caches: impl IntoIterator<Item = (&'s str, &'s Self)>) -> String {
        let caches: Vec<_> = caches.into_iter().collect();
        let mut text = String::new();
        for family in &FAMILIES {
            let (name, kind) = (family.name, family.figures.kind());
            add(&mut text, format_args!("# HELP {name} {}\n", family.help));
            add(&mut text, format_args!("# TYPE {name} {kind}\n"));
            for (cache, stats) in &caches {
                family.each(stats, |mut labels, figure| {
                    labels.insert(0, ("cache", cache));
                    match figure {
                        Figure::Counter(count) => {
                            sample(&mut text, (name, ""), &labels, None, &count);
                        }
                        Figure::Gauge(figure) => {
                            sample(&mut text, (name, ""), &labels, None, &figure);
                        }
                        Figure::Times(times) => histogram(&mut text, name, &labels, times),
                    }
                });
            }
        }
        text
    }
}

fn histogram(text: &mut String, name: &str, labels: &Labels<'_>, times: &Histogram) {
    let mut buckets = times.buckets().peekable();
    let mut seen = 0;
    for doublings in BOUNDS {
        let bound = std::time::Duration::from_micros(1 << doublings);
        while let Some((_, count)) = buckets.next_if(|(up_to, _)| *up_to <= bound) {
            seen += count;
        }
        let bound = bound.as_secs_f64().to_string();
        sample(text, (name, "_bucket"), labels, Some(&bound), &seen);
    }
    let all = times.count();
    sample(text, (name, "_bucket"), labels, Some("+Inf"), &all);
    sample(
        text,
        (name, "_sum"),
        labels,
        None,
        &times.sum().as_secs_f64(),
    );
    sample(text, (name, "_count"), labels, None, &all);
}

/// One line.
fn sample(
    text: &mut String,
    (name, part): (&str, &str),
    labels: &Labels<'_>,
    bound: Option<&str>,
    figure: &dyn std::fmt::Display,
) {
    add(text, format_args!("{name}{part}{{"));
    let bound = bound.map(|bound| ("le", bound));
    for (at, (label, value)) in labels.iter().copied().chain(bound).enumerate() {
        let comma = if at == 0 { "" } else { "," };
        add(text, format_args!("{comma}{label}=\"{}\"", escaped(value)));
    }
    add(text, format_args!("}} {figure}\n"));
}

fn add(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).expect("a string takes everything");
}

/// What means something between the quotes of a label.
fn escaped(value: &str) -> String {
    let escape = |c: char| match c {
        '\\' => "\\\\".to_owned(),
        '"' => "\\\"".to_owned(),
        '\n' => "\\n".to_owned(),
        other => other.to_string(),
    };
    value.chars().map(escape).collect()
}
