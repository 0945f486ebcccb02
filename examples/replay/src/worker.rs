//! One process of the replay: a cache, the annotated function, and tasks that call it.

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, BufReader, Stdin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cache_runtime::{Cache, Memory};

use crate::catalogue::{Catalogue, Product};
use crate::product::{Shop, product};
use crate::protocol::{self, Go, News, Order};
use crate::tally::Tally;

/// More than any run has products, so that what is measured is the protocol and not the size of the memory.
const MAX_ENTRIES: usize = 1_000_000;

/// Everything the tasks of one process share.
struct Run {
    shop: Shop,
    /// What the table holds. It is read in one go: nothing writes to the table during a run.
    truth: HashMap<u32, Product>,
    requests: Vec<u32>,
    next: AtomicUsize,
    done: AtomicU64,
}

/// Follows one order from stdin.
pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let mut stdin = BufReader::new(io::stdin());
    let order: Order = protocol::receive(&mut stdin)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(follow(order, stdin))
}

async fn follow(order: Order, mut stdin: BufReader<Stdin>) -> Result<(), Box<dyn Error>> {
    let cache = cache(&order)?;
    cache.install()?;
    let run = Arc::new(prepare(&order)?);
    let warning = wait_for_redis(&cache, &order).await;
    protocol::send(&mut io::stdout(), &News::Ready { warning })?;
    let Go = protocol::receive(&mut stdin)?;
    end_with_the_parent(stdin);

    let finished = Arc::new(AtomicBool::new(false));
    let reporter = report_progress(Arc::clone(&run), Arc::clone(&finished));
    let mut tally = replay(&run, order.tasks).await?;
    finished.store(true, Ordering::Release);
    reporter
        .join()
        .map_err(|_| "the progress reporter panicked")?;

    tally.loads = run.shop.loads.load(Ordering::Relaxed);
    tally.take_cache_counters(&cache.stats().total);
    cache.close(Duration::from_secs(2)).await;
    protocol::send(&mut io::stdout(), &News::Done(Box::new(tally)))?;
    Ok(())
}

fn cache(order: &Order) -> Result<Cache, Box<dyn Error>> {
    let builder =
        Cache::builder(order.cache.as_str()).memory(Memory::new().max_entries(MAX_ENTRIES));
    let builder = match &order.redis {
        // Twenty times the default: a busy machine must not decide how many loads there are.
        Some(url) => builder
            .redis(url.as_str())
            .redis_budget(Duration::from_secs(2)),
        None => builder,
    };
    Ok(builder.build()?)
}

fn prepare(order: &Order) -> Result<Run, Box<dyn Error>> {
    let catalogue = Catalogue::open(&order.db);
    Ok(Run {
        truth: catalogue.all()?,
        shop: Shop {
            catalogue,
            ttl: order.ttl,
            loads: AtomicU64::new(0),
        },
        requests: order.workload.share(order.index, order.processes)?,
        next: AtomicUsize::new(0),
        done: AtomicU64::new(0),
    })
}

/// The replay works without its Redis, only worse; that should not look like a result.
async fn wait_for_redis(cache: &Cache, order: &Order) -> Option<String> {
    order.redis.as_ref()?;
    let ready = cache.ready(Duration::from_secs(5)).await;
    ready
        .err()
        .map(|health| format!("{health}; each process caches for itself"))
}

async fn replay(run: &Arc<Run>, tasks: usize) -> Result<Tally, Box<dyn Error>> {
    let tasks: Vec<_> = (0..tasks)
        .map(|_| tokio::spawn(call(Arc::clone(run))))
        .collect();
    let mut total = Tally::default();
    for task in tasks {
        total.add(&task.await?);
    }
    Ok(total)
}

/// One caller: takes the next request until there is none.
async fn call(run: Arc<Run>) -> Tally {
    let mut tally = Tally::default();
    while let Some(&id) = run.requests.get(run.next.fetch_add(1, Ordering::Relaxed)) {
        let started = Instant::now();
        let answer = product(id, &run.shop).await;
        tally.judge(&answer, run.truth.get(&id), started.elapsed());
        run.done.fetch_add(1, Ordering::Relaxed);
        // A memory hit never waits, and callers take turns in a service as well.
        tokio::task::yield_now().await;
    }
    tally
}

fn report_progress(run: Arc<Run>, finished: Arc<AtomicBool>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        while !finished.load(Ordering::Acquire) {
            thread::sleep(Duration::from_millis(50));
            let done = run.done.load(Ordering::Relaxed);
            if protocol::send(&mut io::stdout(), &News::Progress(done)).is_err() {
                return;
            }
        }
    })
}

/// A worker whose parent was killed has nobody to work for.
fn end_with_the_parent(mut stdin: BufReader<Stdin>) {
    thread::spawn(move || {
        let _ = io::copy(&mut stdin, &mut io::sink());
        std::process::exit(1);
    });
}
