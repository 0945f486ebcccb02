//! The part of one process: readers and writers that go on until a time, and tell what they saw.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_runtime::{Cache, Served, testing::leftovers};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::database::{Connections, Database};
use super::records::{Batch, Done, Seen, now};
use super::{How, Origin, Redis, Rows, Write};
use crate::worker::{Answer, Events};

/// The event by which a batch is told.
pub const BATCH: &str = "batch";

const TELL_EVERY: Duration = Duration::from_millis(50);
/// For so long a process may go on delivering when everything is well again.
const AFTERWARDS: Duration = Duration::from_secs(20);

/// What every process is told. Times are [`now`]'s.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// Where Redis is.
    pub url: String,
    /// Where the database is.
    pub database: SocketAddr,
    /// How many rows it has.
    pub rows: usize,
    /// When the first storm begins.
    pub begin: u64,
    /// For so long everybody writes and reads.
    pub storm: u64,
    /// Then everybody reads for so long.
    pub quiet: u64,
    /// When all of it ends.
    pub end: u64,
}

impl Plan {
    /// So many storms, each with the quiet after it, from now on.
    pub fn of(
        url: String,
        database: &Database,
        rows: usize,
        storm: Duration,
        quiet: Duration,
        rounds: u32,
    ) -> Self {
        let begin = now();
        Self {
            url,
            database: database.addr(),
            rows,
            begin,
            storm: nanoseconds(storm),
            quiet: nanoseconds(quiet),
            end: begin + nanoseconds((storm + quiet) * rounds),
        }
    }

    /// How much of the present round is over.
    pub fn phase(&self, now: u64) -> u64 {
        now.saturating_sub(self.begin) % (self.storm + self.quiet)
    }

    /// The longest pause of who writes. In every other storm so few evict that what memory has missed stays there: among many, each
    /// is made good by the next.
    fn pause(&self, now: u64) -> Duration {
        let round = now.saturating_sub(self.begin) / (self.storm + self.quiet);
        Duration::from_millis(if round.is_multiple_of(2) { 40 } else { 800 })
    }
}

/// What is left in a process that has ended its part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// Evictions in the journal.
    pub queued: usize,
    /// Flights, and queues of those who wait for a turn.
    pub under_way: usize,
}

/// One process in its fleet.
struct Part {
    plan: Plan,
    cache: Cache,
    origin: Reached,
    told: Mutex<Batch>,
    evictions: AtomicU64,
}

const READERS: usize = 12;
const WRITERS: usize = 3;

/// Plays the part to its end.
///
/// # Errors
/// If the cache cannot be built.
pub async fn play(events: Events, plan: Plan) -> Answer {
    let cache = Cache::builder("promise")
        .redis(&plan.url)
        .evict_deadline(Duration::from_millis(250))
        .build()?;
    let part = Arc::new(Part {
        origin: Reached(Arc::new(Connections::to(plan.database))),
        plan,
        cache,
        told: Mutex::default(),
        evictions: AtomicU64::new(0),
    });
    let mut tasks = JoinSet::new();
    for _ in 0..READERS {
        tasks.spawn(Arc::clone(&part).reads());
    }
    for _ in 0..WRITERS {
        tasks.spawn(Arc::clone(&part).writes());
    }
    while !tasks.is_empty() {
        while let Some(ended) = tasks.try_join_next() {
            ended?;
        }
        sleep(TELL_EVERY).await;
        part.tell(&events);
    }
    let end = tokio::time::Instant::now() + AFTERWARDS;
    // Looked at once: what was over is over, though a refresh may begin the moment after.
    let mut left = part.left();
    while left != Left::default() && tokio::time::Instant::now() < end {
        sleep(TELL_EVERY).await;
        left = part.left();
    }
    part.tell(&events);
    Ok(json!(left))
}

impl Part {
    async fn reads(self: Arc<Self>) {
        while now() < self.plan.end {
            let how = if fastrand::u8(..3) == 0 {
                How::any_fresh(true)
            } else {
                How::any(true)
            };
            let (row, began) = (self.row(), now());
            let read = how.read(&*self, &self.cache, row).await;
            if let Some(version) = read.version {
                let asked = matches!(read.served, Some(Served::Redis | Served::Loaded));
                let family = how.family();
                self.told().reads.push(Seen {
                    family,
                    row,
                    began,
                    version,
                    asked,
                    stale: matches!(read.served, Some(Served::Stale(_))),
                });
            }
            sleep(Duration::from_micros(fastrand::u64(..8_000))).await;
        }
    }

    async fn writes(self: Arc<Self>) {
        while now() < self.plan.end {
            if self.plan.phase(now()) < self.plan.storm {
                self.write().await;
            }
            sleep(self.plan.pause(now()).mul_f64(fastrand::f64())).await;
        }
    }

    async fn write(&self) {
        let (row, began) = (self.row(), now());
        self.evictions.fetch_add(1, Ordering::Relaxed);
        let write = Write::any(self, &self.cache, row).await;
        let confirmed = match write.redis {
            Redis::Confirmed => true,
            Redis::Refused | Redis::Untold | Redis::Dropped => false,
        };
        let (version, reach) = (write.version, write.reach.to_vec());
        self.told().writes.push(Done {
            row,
            version,
            reach,
            began,
            at: now(),
            confirmed,
            expired: write.expired,
        });
    }

    /// Some are used much, and some hardly.
    fn row(&self) -> usize {
        let part = fastrand::f64() * fastrand::f64();
        (part * self.plan.rows as f64) as usize
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Batch> {
        self.told.lock().expect("no holder panics")
    }

    fn left(&self) -> Left {
        let left = leftovers(&self.cache);
        Left {
            queued: self.cache.health().queued_evictions,
            under_way: left.flights + left.retry_queues,
        }
    }

    fn tell(&self, events: &Events) {
        let at = now();
        let delivered = (self.cache.health().queued_evictions == 0).then_some(at);
        let batch = Batch {
            delivered,
            refused: self.cache.stats().total.refused_stores,
            evictions: self.evictions.load(Ordering::Relaxed),
            ..std::mem::take(&mut *self.told())
        };
        let batch = serde_json::to_value(batch);
        events.emit(BATCH, batch.unwrap_or(Value::Null));
    }
}

/// The database behind a network.
#[derive(Clone)]
struct Reached(Arc<Connections>);

const LONGEST: Duration = Duration::from_millis(4);

async fn pause() {
    sleep(LONGEST.mul_f64(fastrand::f64())).await;
}

impl Origin for Reached {
    fn ttl(&self, row: usize) -> Duration {
        if row.is_multiple_of(4) {
            Duration::from_millis(300)
        } else {
            Duration::from_secs(600)
        }
    }

    fn unit(&self) -> Duration {
        // Longer than the commands of a patient call, so that an answer of Redis is not too late for it.
        Duration::from_millis(150)
    }

    async fn load(&self, row: usize) -> Result<u64, String> {
        pause().await;
        let version = self.0.read(row).await;
        // Some take so long that what they have seen is old.
        let times = if fastrand::u8(..4) == 0 { 10 } else { 1 };
        for _ in 0..times {
            pause().await;
        }
        if fastrand::u8(..16) == 0 {
            return Err("the origin failed".to_owned());
        }
        version.map_err(|error| error.to_string())
    }
}

impl Rows for Part {
    type Origin = Reached;

    fn origin(&self) -> Reached {
        self.origin.clone()
    }

    fn ttl(&self, row: usize) -> Duration {
        self.origin.ttl(row)
    }

    fn longest(&self) -> Duration {
        LONGEST
    }

    fn reaches_others(&self) -> bool {
        self.plan.phase(now()) < self.plan.storm / 2
    }

    async fn load(&self, row: usize) -> Result<u64, String> {
        self.origin.load(row).await
    }

    async fn commit(&self, row: usize, version: &AtomicU64) {
        pause().await;
        let changed = self.origin.0.change(row).await;
        let changed = changed.expect("the database outlives the processes");
        version.store(changed, Ordering::SeqCst);
        pause().await;
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).expect("a test ends this century")
}
