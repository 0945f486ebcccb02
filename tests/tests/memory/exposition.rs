//! Figures as they leave the process: the text that Prometheus reads, the `metrics` facade, and the table of their names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_runtime::{Cache, Evict, Key, Policy, Stats, key};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, HistogramFn, KeyName, Metadata, SharedString, Unit,
};
use tests::caches::{build, builder, in_memory};

/// A cache that has something of most kinds to tell.
async fn used() -> Cache {
    let cache = in_memory();
    use_it(&cache).await;
    cache
}

async fn use_it(cache: &Cache) {
    let site = "of \"quotes\", a \\ and\na line";
    for number in 0..10 {
        let key = key!("a:{number}");
        let load = async || {
            tokio::time::sleep(Duration::from_millis(number)).await;
            number
        };
        let policy = Policy::new().site(site);
        cache.get_or_load(&key, &policy, load).await;
        cache.get_or_load(&key, &policy, async || 7).await;
    }
    cache
        .evict(Evict::tag("a").and(Evict::all()))
        .await
        .expect("memory alone");
    cache
        .put(&Key::new("b"), 1, &Policy::new())
        .await
        .expect("it is stored");
}

/// A sample: its name, its labels, its value.
type Sample = (String, BTreeMap<String, String>, f64);

/// Reads exposition format 0.0.4 by its own rules: the kinds by name, and all samples. Each name's lines stand together.
fn read(text: &str) -> (BTreeMap<String, String>, Vec<Sample>) {
    let (mut kinds, mut samples, mut helped) = (BTreeMap::new(), Vec::new(), BTreeSet::new());
    let mut current = String::new();
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').expect("a name and a text");
            assert!(!help.is_empty() && helped.insert(name.to_owned()), "{line}");
            continue;
        }
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').expect("a name and a kind");
            assert!(helped.contains(name), "{line}");
            assert_eq!(
                kinds.insert(name.to_owned(), kind.to_owned()),
                None,
                "{line}"
            );
            name.clone_into(&mut current);
            continue;
        }
        let (name, rest) = line.split_once('{').expect("every sample has labels");
        let part = name
            .strip_prefix(current.as_str())
            .expect("under its own name");
        let parts: &[&str] = match &*kinds[&current] {
            "histogram" => &["_bucket", "_sum", "_count"],
            _ => &[""],
        };
        assert!(parts.contains(&part), "{line}");
        let (labels, value) = labels(rest);
        samples.push((name.to_owned(), labels, value.parse().expect("a number")));
    }
    (kinds, samples)
}

/// Labels up to the closing brace, unescaped, and what comes after it.
fn labels(text: &str) -> (BTreeMap<String, String>, &str) {
    let (mut labels, mut rest) = (BTreeMap::new(), text);
    loop {
        let (name, value) = rest.split_once("=\"").expect("a label");
        assert!(
            name.chars().all(|c| c.is_ascii_lowercase() || c == '_'),
            "{name}"
        );
        let (mut unescaped, mut chars) = (String::new(), value.char_indices());
        let end = loop {
            match chars.next().expect("the value ends") {
                (at, '"') => break at + 1,
                (_, '\\') => unescaped.push(match chars.next().expect("an escape").1 {
                    'n' => '\n',
                    it @ ('\\' | '"') => it,
                    other => panic!("`\\{other}` is no escape"),
                }),
                (_, it) => unescaped.push(it),
            }
        };
        assert_eq!(labels.insert(name.to_owned(), unescaped), None);
        rest = &value[end..];
        match rest.split_at(1) {
            (",", more) => rest = more,
            ("}", value) => return (labels, value.strip_prefix(' ').expect("a blank")),
            other => panic!("{other:?}"),
        }
    }
}

fn all_of<'s>(samples: &'s [Sample], name: &str) -> Vec<&'s Sample> {
    samples.iter().filter(|sample| sample.0 == name).collect()
}

#[tokio::test]
async fn the_text_is_what_prometheus_reads() {
    let cache = used().await;
    let stats = cache.stats();
    let (_, samples) = read(&stats.prometheus("memory"));
    assert!(
        samples
            .iter()
            .all(|(_, labels, _)| labels["cache"] == "memory")
    );
    let site = "of \"quotes\", a \\ and\na line";
    let value = |name: &str, more: &[(&str, &str)]| {
        let all = all_of(&samples, name);
        let is = |labels: &BTreeMap<String, String>| {
            labels["site"] == site && more.iter().all(|(label, value)| labels[*label] == *value)
        };
        let found: Vec<_> = all.iter().filter(|(_, labels, _)| is(labels)).collect();
        assert_eq!(found.len(), 1, "{name}");
        found[0].2
    };
    assert_eq!(value("cache_hits_total", &[("tier", "memory")]), 10.0);
    assert_eq!(value("cache_hits_total", &[("tier", "redis")]), 0.0);
    assert_eq!(value("cache_misses_total", &[]), 10.0);
    assert_eq!(value("cache_load_seconds_count", &[]), 10.0);
    let times = &stats.sites[site].load_times;
    let sum = value("cache_load_seconds_sum", &[]);
    assert!((sum - times.sum().as_secs_f64()).abs() < 1e-6);
    let buckets: Vec<(f64, f64)> = all_of(&samples, "cache_load_seconds_bucket")
        .iter()
        .filter(|(_, labels, _)| labels["site"] == site)
        .map(|(_, labels, count)| (labels["le"].replace("+Inf", "inf").parse().unwrap(), *count))
        .collect();
    assert!(buckets.len() > 20);
    assert!(
        buckets
            .windows(2)
            .all(|two| two[0].0 < two[1].0 && two[0].1 <= two[1].1)
    );
    assert_eq!(buckets.last(), Some(&(f64::INFINITY, 10.0)));
    // Nine of ten slept for a millisecond or longer.
    assert!(
        buckets
            .iter()
            .any(|(bound, count)| *bound < 0.001 && *count <= 1.0)
    );
    let evicted = all_of(&samples, "cache_evicted_total");
    let kinds = evicted.iter().filter(|(.., count)| *count == 1.0);
    let kinds: BTreeSet<_> = kinds
        .map(|(_, labels, _)| labels["kind"].as_str())
        .collect();
    assert_eq!(kinds, BTreeSet::from(["tag", "all"]));
    assert!(all_of(&samples, "cache_redis_up").is_empty());
    assert_eq!(all_of(&samples, "cache_memory_entries").len(), 1);
}

#[tokio::test]
async fn several_caches_are_one_text() {
    let (one, other) = (used().await.stats(), Stats::default());
    let text = Stats::prometheus_of([("one", &one), ("other", &other)]);
    let (_, samples) = read(&text);
    let of = |cache: &str| samples.iter().filter(|it| it.1["cache"] == cache).count();
    assert!(of("one") > of("other") && of("other") > 0);
}

#[tokio::test]
async fn documented_names_are_those_that_are_told() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/observability.md");
    let text = std::fs::read_to_string(file).expect("it is there");
    let rows = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `cache_"));
    let documented: BTreeMap<String, String> = rows
        .map(|row| {
            let mut cells = row.split('|').map(str::trim);
            let name = cells.next().unwrap().trim_end_matches('`');
            (format!("cache_{name}"), cells.next().unwrap().to_owned())
        })
        .collect();
    let cache = used().await;
    let (kinds, samples) = read(&cache.stats().prometheus("memory"));
    assert_eq!(documented, kinds);
    // And so are the labels, and the values that are named.
    for (name, labels, _) in &samples {
        let name = ["_bucket", "_sum", "_count"]
            .iter()
            .filter_map(|part| name.strip_suffix(part))
            .find(|name| kinds.contains_key(*name))
            .unwrap_or(name);
        let row = text
            .lines()
            .find(|line| line.contains(&format!("| `{name}` |")))
            .unwrap();
        for (label, value) in labels {
            match &**label {
                "cache" | "le" => {}
                "site" => assert!(row.contains("`site`"), "{row}"),
                _ => assert!(
                    row.contains(&format!("`{label}` (")) && row.contains(&format!("`{value}`")),
                    "{label}={value}: {row}"
                ),
            }
        }
    }
}

/// What a recorder was told: by name and labels, counters and gauges as they are and how many values of histograms.
#[derive(Clone, Default)]
struct Recorder {
    told: Arc<Mutex<BTreeMap<String, f64>>>,
    described: Arc<Mutex<BTreeMap<String, &'static str>>>,
}

impl Recorder {
    fn of(&self, what: &str) -> f64 {
        self.told
            .lock()
            .expect("no holder panics")
            .get(what)
            .copied()
            .unwrap_or(-1.0)
    }

    fn describe(&self, name: &KeyName, kind: &'static str) {
        let mut described = self.described.lock().expect("no holder panics");
        described.insert(name.as_str().to_owned(), kind);
    }

    fn figure(&self, key: &metrics::Key) -> Arc<Figure> {
        let labels = key
            .labels()
            .map(|it| format!("{}={}", it.key(), it.value()));
        let labels: Vec<_> = labels.collect();
        Arc::new(Figure {
            told: Arc::clone(&self.told),
            name: format!("{} {}", key.name(), labels.join(" ")),
        })
    }
}

struct Figure {
    told: Arc<Mutex<BTreeMap<String, f64>>>,
    name: String,
}

impl Figure {
    fn change(&self, change: impl FnOnce(&mut f64)) {
        change(
            self.told
                .lock()
                .expect("no holder panics")
                .entry(self.name.clone())
                .or_default(),
        );
    }
}

impl CounterFn for Figure {
    fn increment(&self, by: u64) {
        self.change(|it| *it += by as f64);
    }

    fn absolute(&self, value: u64) {
        self.change(|it| *it = value as f64);
    }
}

impl GaugeFn for Figure {
    fn increment(&self, by: f64) {
        self.change(|it| *it += by);
    }

    fn decrement(&self, by: f64) {
        self.change(|it| *it -= by);
    }

    fn set(&self, value: f64) {
        self.change(|it| *it = value);
    }
}

impl HistogramFn for Figure {
    fn record(&self, _: f64) {
        self.change(|it| *it += 1.0);
    }
}

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.describe(&name, "counter");
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.describe(&name, "gauge");
    }

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.describe(&name, "histogram");
    }

    fn register_counter(&self, key: &metrics::Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.figure(key))
    }

    fn register_gauge(&self, key: &metrics::Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.figure(key))
    }

    fn register_histogram(&self, key: &metrics::Key, _: &Metadata<'_>) -> metrics::Histogram {
        metrics::Histogram::from_arc(self.figure(key))
    }
}

#[tokio::test]
async fn the_facade_is_told_the_same_figures_and_durations_once() {
    let (cache, recorder) = (used().await, Recorder::default());
    for _ in 0..2 {
        metrics::with_local_recorder(&recorder, || cache.publish_metrics());
    }
    let site = "cache=memory site=of \"quotes\", a \\ and\na line";
    assert_eq!(recorder.of(&format!("cache_loads_total {site}")), 10.0);
    assert_eq!(
        recorder.of(&format!("cache_hits_total {site} tier=memory")),
        10.0
    );
    assert_eq!(recorder.of(&format!("cache_load_seconds {site}")), 10.0);
    assert_eq!(
        recorder.of("cache_memory_entries cache=memory"),
        cache.stats().memory.entries as f64
    );
    let described = recorder.described.lock().expect("no holder panics").clone();
    let (kinds, _) = read(&cache.stats().prometheus("memory"));
    let kinds: BTreeMap<_, _> = kinds
        .iter()
        .map(|(name, kind)| (name.clone(), &**kind))
        .collect();
    assert_eq!(described, kinds);
}

#[tokio::test(start_paused = true)]
async fn figures_are_published_on_a_timer_until_the_cache_is_closed() {
    const SECOND: Duration = Duration::from_secs(1);
    let recorder = Recorder::default();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let cache = build(builder());
    let loads = || recorder.of("cache_loads_total cache=memory site=get_or_load");
    let load = async |id: u64| {
        cache
            .get_or_load(&key!("c:{id}"), &Policy::new(), async || id)
            .await
    };
    cache.publish_metrics_every(60 * SECOND).unwrap();
    cache.publish_metrics_every(10 * SECOND).unwrap();
    load(1).await;
    tokio::time::sleep(9 * SECOND).await;
    assert_eq!(loads(), -1.0);
    tokio::time::sleep(2 * SECOND).await;
    assert_eq!(loads(), 1.0);
    load(2).await;
    cache.close(SECOND).await;
    assert_eq!(loads(), 2.0, "the last time");
    load(3).await;
    tokio::time::sleep(60 * SECOND).await;
    assert_eq!(loads(), 2.0);
    assert!(cache.publish_metrics_every(SECOND).is_err());
    // A cache that is dropped publishes nothing more, and its task ends.
    let dropped = build(builder());
    dropped.publish_metrics_every(SECOND).unwrap();
    drop(dropped);
    tokio::time::sleep(3 * SECOND).await;
    assert_eq!(
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks(),
        0
    );
}

#[test]
fn outside_a_runtime_nobody_could_publish() {
    let cache = in_memory();
    let refused = cache
        .publish_metrics_every(Duration::from_secs(1))
        .unwrap_err();
    assert_eq!(refused.kind(), cache_runtime::ErrorKind::Invalid);
}
