//! The processes and what they stand on: servers, a database, and the judge.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tests::eventually;
use tests::promise::database::Database;
use tests::promise::judge::{Judge, Violation};
use tests::promise::part::Plan;
use tests::promise::player::Player;
use tests::promise::records::now;
use tokio::sync::Mutex;

use crate::ROWS;
use crate::servers::{Servers, Shape};

pub(crate) const PROCESSES: usize = 4;

pub(crate) struct Crew {
    pub(crate) plan: Plan,
    pub(crate) shape: Shape,
    pub(crate) servers: Servers,
    /// One fault at a time happens to the servers.
    pub(crate) trouble: Mutex<()>,
    /// And one to each of the networks.
    pub(crate) networks: Vec<Mutex<()>>,
    /// Places in the fleet, each of which one process after another takes. One fault at a time happens to a process.
    pub(crate) places: Vec<Mutex<Player>>,
    judge: Arc<std::sync::Mutex<Judge>>,
    /// Processes so far: none has the number of another.
    started: AtomicUsize,
    _database: Database,
}

impl Crew {
    pub(crate) async fn start(shape: Shape, rounds: u32) -> Self {
        let servers = Servers::start(shape).await;
        let database = Database::start(ROWS).await;
        let (storm, quiet) = (shape.storm(), shape.quiet());
        let networks = servers.proxies().iter().map(|_| Mutex::default()).collect();
        let mut crew = Self {
            plan: Plan::of(String::new(), &database, ROWS, storm, quiet, rounds),
            shape,
            servers,
            trouble: Mutex::default(),
            networks,
            places: Vec::new(),
            judge: Arc::new(std::sync::Mutex::new(Judge::of(ROWS))),
            started: AtomicUsize::new(0),
            _database: database,
        };
        for place in 0..PROCESSES {
            let player = crew.player(place).await;
            crew.places.push(Mutex::new(player));
        }
        crew
    }

    /// A process that plays its part.
    pub(crate) async fn player(&self, place: usize) -> Player {
        let number = self.started.fetch_add(1, Ordering::SeqCst);
        let plan = Plan {
            url: self.servers.url(place),
            ..self.plan.clone()
        };
        Player::start(number, plan, &self.judge).await
    }

    /// The time until the next storm, `None` if there is none.
    pub(crate) fn until_next_storm(&self) -> Option<Duration> {
        let (now, round) = (now(), self.plan.storm + self.plan.quiet);
        let wait = round - self.plan.phase(now);
        (now + wait < self.plan.end).then_some(Duration::from_nanos(wait))
    }

    /// What has been found so far, and what was counted.
    pub(crate) fn judge(&self) -> (Vec<Violation>, String) {
        let mut judge = self.judged();
        judge.judge(now());
        (judge.violations.clone(), judge.summary())
    }

    pub(crate) fn judged(&self) -> std::sync::MutexGuard<'_, Judge> {
        self.judge.lock().expect("no holder panics")
    }

    /// Everybody has ended his part, and nothing is left.
    pub(crate) async fn end(self) -> Judge {
        for place in &self.places {
            place.lock().await.end().await;
        }
        for server in self.servers.all() {
            eventually::holds("no lease is left", async || {
                let leases = server.cli(&["KEYS", "*:lease"]).await;
                leases.list().is_empty()
            })
            .await;
        }
        let mut judge = std::mem::take(&mut *self.judged());
        judge.judge_all();
        judge
    }
}
