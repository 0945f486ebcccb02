//! The fleet and what it stands on: four processes, each behind a proxy, a Redis, a database, and the judge.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tests::eventually;
use tests::fleet::{Fleet, WorkerError};
use tests::promise::database::Database;
use tests::promise::judge::{Judge, Violation};
use tests::promise::part::{BATCH, Left, Plan};
use tests::promise::records::now;
use tests::proxy::Proxy;
use tests::server::RedisServer;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::{QUIET, ROWS, STORM};

pub(crate) const PROCESSES: usize = 4;

/// Longer than a process may take to end its part, deliveries included.
const AT_MOST: Duration = Duration::from_secs(30);

pub(crate) struct Crew {
    pub(crate) plan: Plan,
    pub(crate) server: RedisServer,
    /// One fault at a time happens to the server.
    pub(crate) trouble: Mutex<()>,
    pub(crate) places: Vec<Place>,
    judge: Arc<std::sync::Mutex<Judge>>,
    /// Processes so far: none has the number of another.
    started: AtomicUsize,
    _database: Database,
}

/// A place in the fleet, which one process after another takes.
pub(crate) struct Place {
    pub(crate) proxy: Proxy,
    /// One fault at a time happens to its network.
    pub(crate) network: Mutex<()>,
    pub(crate) process: Mutex<Process>,
}

pub(crate) struct Process {
    fleet: Arc<Fleet>,
    /// What it answers at its end.
    part: JoinHandle<Result<serde_json::Value, WorkerError>>,
    listener: JoinHandle<()>,
}

impl Crew {
    pub(crate) async fn start(lasts: Duration) -> Self {
        let server = RedisServer::start().await;
        let database = Database::start(ROWS).await;
        let begin = now();
        let mut crew = Self {
            plan: Plan {
                url: server.url(),
                database: database.addr(),
                rows: ROWS,
                begin,
                storm: nanoseconds(STORM),
                quiet: nanoseconds(QUIET),
                end: begin + nanoseconds(lasts),
            },
            judge: Arc::new(std::sync::Mutex::new(Judge::of(ROWS))),
            started: AtomicUsize::new(0),
            server,
            trouble: Mutex::default(),
            places: Vec::new(),
            _database: database,
        };
        for _ in 0..PROCESSES {
            let proxy = Proxy::start(crew.server.addr()).await;
            let process = Mutex::new(crew.process(&proxy).await);
            crew.places.push(Place {
                proxy,
                network: Mutex::default(),
                process,
            });
        }
        crew
    }

    /// A process that plays its part.
    pub(crate) async fn process(&self, proxy: &Proxy) -> Process {
        let number = self.started.fetch_add(1, Ordering::SeqCst);
        let fleet = Arc::new(Fleet::builder().spawn(1).await);
        let plan = Plan {
            url: self.server.url_via(proxy),
            ..self.plan.clone()
        };
        let within = Duration::from_nanos(plan.end.saturating_sub(now())) + AT_MOST;
        let playing = Arc::clone(&fleet);
        let part = tokio::spawn(async move {
            let worker = playing.worker(0);
            worker.ask_within(within, "promise", json!(plan)).await
        });
        let (telling, judge) = (Arc::clone(&fleet), Arc::clone(&self.judge));
        let listener = tokio::spawn(async move {
            while let Ok(batch) = telling.worker(0).event(BATCH).await {
                let batch = serde_json::from_value(batch).expect("a process tells batches");
                judge.lock().expect("no holder panics").hear(number, batch);
            }
        });
        Process {
            fleet,
            part,
            listener,
        }
    }

    pub(crate) fn until_next_storm(&self) -> Duration {
        let round = self.plan.storm + self.plan.quiet;
        Duration::from_nanos(round - self.plan.phase(now()))
    }

    /// What has been found so far, and what was counted.
    pub(crate) fn judge(&self) -> (Vec<Violation>, String) {
        let mut judge = self.judge.lock().expect("no holder panics");
        judge.judge(now());
        (judge.violations.clone(), judge.summary())
    }

    /// Everybody has ended his part, and nothing is left.
    pub(crate) async fn end(self) -> Judge {
        for place in &self.places {
            let mut process = place.process.lock().await;
            let left = (&mut process.part).await.expect("asking does not panic");
            let left = left.unwrap_or_else(|error| panic!("a process: {error}"));
            assert_eq!(left, json!(Left::default()));
            process.kill().await;
        }
        eventually::holds("no lease is left", async || {
            let leases = self.server.cli(&["KEYS", "*:lease"]).await;
            leases.list().is_empty()
        })
        .await;
        let mut judge = std::mem::take(&mut *self.judge.lock().expect("no holder panics"));
        judge.judge_all();
        judge
    }
}

impl Process {
    pub(crate) async fn kill(&mut self) {
        self.fleet.worker(0).kill().await;
        self.part.abort();
        // What it told before is told.
        (&mut self.listener).await.expect("every batch is read");
    }

    pub(crate) async fn stop(&mut self, lasts: Duration) {
        self.fleet.worker(0).stop();
        sleep(lasts).await;
        self.fleet.worker(0).cont();
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).expect("a test ends this century")
}
