//! What an annotated function does, and what each call costs:
//!
//! ```text
//! cargo run --release -p quickstart
//! REDIS_URL=redis://127.0.0.1:6379 cargo run --release -p quickstart
//! ```

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cache_runtime::{Cache, CacheBuilder, Served, cache_evict, cacheable, traced};
use serde::{Deserialize, Serialize};

/// How long the query behind the function takes.
const QUERY: Duration = Duration::from_millis(50);
const CALLERS: usize = 100;
/// A single hit is too short for a clock.
const HITS: u32 = 10_000;

/// The database of this example: the price of every product, and how often it was asked.
static PRICE_CENTS: AtomicU64 = AtomicU64::new(999);
static QUERIES: AtomicU64 = AtomicU64::new(0);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Product {
    id: u64,
    price_cents: u64,
}

/// A slow query. The attribute is all it takes to cache it, and to run it once however many ask at the same time.
#[cacheable(key = "product:{id}", ttl = "10m", stampede_protection)]
async fn product(id: u64) -> Product {
    QUERIES.fetch_add(1, Ordering::Relaxed);
    tokio::time::sleep(QUERY).await;
    Product {
        id,
        price_cents: PRICE_CENTS.load(Ordering::Relaxed),
    }
}

/// An update. When it returns, nobody is given the old product any more.
#[cache_evict(key = "product:{id}")]
async fn set_price(id: u64, price_cents: u64) {
    PRICE_CENTS.store(price_cents, Ordering::Relaxed);
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A name of its own for each run, so that it starts cold; a service has one name for ever.
    let name = format!(
        "quickstart-{}",
        SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis()
    );
    let redis = std::env::var("REDIS_URL")
        .ok()
        .filter(|url| !url.is_empty());
    let cache = builder(&name, redis.as_deref()).build()?;
    cache.install()?;
    introduce(&cache, redis.is_some()).await;

    cold_call().await;
    hit().await;
    stampede().await?;
    if redis.is_some() {
        another_process(&name, redis.as_deref()).await?;
    }
    eviction().await;
    call_after_eviction().await;
    println!(
        "\nThe same calls without the cache: {CALLERS} queries for the {CALLERS} callers, 50 ms for each repeat."
    );
    Ok(())
}

fn builder(name: &str, redis: Option<&str>) -> CacheBuilder {
    let builder = Cache::builder(name);
    match redis {
        Some(url) => builder.redis(url),
        None => builder,
    }
}

async fn introduce(cache: &Cache, with_redis: bool) {
    let tiers = match (with_redis, cache.ready(Duration::from_secs(2)).await) {
        (false, _) => {
            "this process's memory (set REDIS_URL to share it with other processes)".to_owned()
        }
        (true, Ok(())) => "this process's memory, and Redis behind it".to_owned(),
        (true, Err(health)) => format!("this process's memory; {health}"),
    };
    println!("product(id) runs a query of 50 ms and is cached in {tiers}.\n");
    row("what happens", "took", "queries", "answered by");
    row("------------", "----", "-------", "-----------");
}

async fn cold_call() {
    let measured = Measured::start();
    let (_, served) = traced(product(1)).await;
    measured.row("first call, nothing is cached", &origin(served.as_ref()));
}

async fn hit() {
    let (_, served) = traced(product(1)).await;
    let mut measured = Measured::start();
    for _ in 0..HITS {
        product(1).await;
    }
    measured.calls = HITS;
    measured.row("the same call again", &origin(served.as_ref()));
}

async fn stampede() -> Result<(), tokio::task::JoinError> {
    let measured = Measured::start();
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| tokio::spawn(traced(product(2))))
        .collect();
    let mut loaded = 0;
    for caller in callers {
        let (_, served) = caller.await?;
        loaded += usize::from(matches!(served, Some(Served::Loaded)));
    }
    let answered = format!(
        "the database for {loaded}, that same load for {}",
        CALLERS - loaded
    );
    measured.row("100 callers at once, not cached", &answered);
    Ok(())
}

/// A cache of the same name has the same Redis entries and a memory of its own, as another process would.
async fn another_process(name: &str, redis: Option<&str>) -> Result<(), Box<dyn Error>> {
    let other = builder(name, redis).build()?;
    // Without a Redis that answers, the row shows what happens then.
    let _ = other.ready(Duration::from_secs(2)).await;
    let measured = Measured::start();
    let (_, served) = other.as_current(traced(product(1))).await;
    measured.row("first call of another process", &origin(served.as_ref()));
    Ok(())
}

async fn eviction() {
    let measured = Measured::start();
    set_price(1, 1_299).await;
    measured.row("price changed, product(1) evicted", "");
}

async fn call_after_eviction() {
    let measured = Measured::start();
    let (fresh, served) = traced(product(1)).await;
    let price = format!(
        "{}: the new price, {:.2}",
        origin(served.as_ref()),
        fresh.price_cents as f64 / 100.0
    );
    measured.row("the next call", &price);
}

fn origin(served: Option<&Served>) -> String {
    match served {
        Some(Served::Memory) => "memory".to_owned(),
        Some(Served::Redis) => "Redis".to_owned(),
        Some(Served::Loaded) => "the database".to_owned(),
        other => format!("{other:?}"),
    }
}

/// The cost of a step: time, and queries that reached the database.
struct Measured {
    started: Instant,
    queries: u64,
    calls: u32,
}

impl Measured {
    fn start() -> Measured {
        Measured {
            started: Instant::now(),
            queries: QUERIES.load(Ordering::Relaxed),
            calls: 1,
        }
    }

    fn row(self, what: &str, answered: &str) {
        let took = self.started.elapsed() / self.calls;
        let queries = QUERIES.load(Ordering::Relaxed) - self.queries;
        row(what, &format!("{took:.1?}"), &queries.to_string(), answered);
    }
}

fn row(what: &str, took: &str, queries: &str, answered: &str) {
    println!("  {what:<34} {took:>9} {queries:>8}   {answered}");
}
