//! A fleet as most tests want it: one Redis, some workers with a cache each, one origin.

use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use super::hammer::{Blows, Hammer};
use super::{Answers, Call, Function, NAME, Open, What};
use crate::eventually;
use crate::fleet::{Fleet, Worker};
use crate::scenarios::origin::Origin;
use crate::server::RedisServer;

/// The name of the one cache each worker has open.
const CACHE: &str = "cache";

/// Workers on one Redis.
#[derive(Debug)]
pub struct Crew {
    /// The Redis they share.
    pub server: RedisServer,
    /// What their functions ask.
    pub origin: Origin,
    fleet: Fleet,
}

impl Crew {
    /// Starts it; each worker is connected.
    pub async fn of(workers: usize) -> Crew {
        Crew::on(RedisServer::start().await, Fleet::builder(), workers).await
    }

    /// The same on a particular server, with workers of a particular environment.
    ///
    /// # Panics
    /// If a worker cannot connect.
    pub async fn on(server: RedisServer, fleet: crate::fleet::Builder, workers: usize) -> Crew {
        let open = Open::at(CACHE, server.url());
        Crew::opened(server, fleet, workers, open).await
    }

    /// The same with caches that are built in a particular way.
    ///
    /// # Panics
    /// If a worker cannot connect.
    pub async fn opened(
        server: RedisServer,
        fleet: crate::fleet::Builder,
        workers: usize,
        mut open: Open,
    ) -> Crew {
        CACHE.clone_into(&mut open.cache);
        let fleet = fleet.spawn(workers).await;
        for answer in fleet.ask_all("open", json!(open)).await {
            answer.expect("a worker connects");
        }
        Crew {
            server,
            origin: Origin::start().await,
            fleet,
        }
    }

    /// One worker.
    pub fn worker(&self, number: usize) -> &Worker {
        self.fleet.worker(number)
    }

    /// How many workers there are.
    pub fn size(&self) -> usize {
        self.fleet.workers().count()
    }

    /// So many calls of a function in one worker, answered.
    ///
    /// # Panics
    /// If the worker dies, or somebody is stuck for a minute.
    pub async fn call(
        &self,
        worker: usize,
        name: &str,
        function: Function,
        callers: usize,
    ) -> Answers {
        let request = self.request(name, function, callers);
        self.answers(worker, "call", request).await
    }

    /// The first call of a function that begins in a worker after it was stopped, for longer than three seconds. The event of
    /// this name says that it may be. The worker must have one thread, which this takes.
    ///
    /// # Panics
    /// If the worker dies.
    pub async fn call_after_a_stop(
        &self,
        worker: usize,
        name: &str,
        function: Function,
    ) -> Answers {
        let request = self.request(name, function, 1);
        self.answers(worker, "after_a_stop", request).await
    }

    /// So many tasks in each worker that call a function all the time, for so long; of their times the longest of any worker.
    ///
    /// # Panics
    /// If a worker dies.
    pub async fn hammer(
        &self,
        function: Function,
        tasks: usize,
        rest: Duration,
        length: Duration,
    ) -> Blows {
        let request = Hammer {
            cache: CACHE.to_owned(),
            function,
            source: self.origin.source(),
            tasks,
            rest,
            length,
            warm_up: length / 10,
        };
        let answers = self.fleet.ask_all("hammer", json!(request)).await;
        let mut all = Blows::default();
        for answer in answers {
            let answer = answer.expect("a worker calls and tells");
            let blows: Blows = serde_json::from_value(answer).expect("a worker tells what came");
            all = all.and(&blows);
        }
        all
    }

    /// A request for so many calls of a function.
    pub fn request(&self, name: &str, function: Function, callers: usize) -> Call {
        Call {
            cache: CACHE.to_owned(),
            name: name.to_owned(),
            function,
            id: 7,
            callers,
            source: self.origin.source(),
        }
    }

    async fn answers(&self, worker: usize, scenario: &str, request: Call) -> Answers {
        let answer = self.worker(worker).ask(scenario, json!(request)).await;
        let answer = answer
            .unwrap_or_else(|error| panic!("calls `{}` in worker {worker}: {error}", request.name));
        serde_json::from_value(answer).expect("a worker answers calls with answers")
    }

    /// One call of [`Function::Product`] in one worker: its value, and how it was served.
    ///
    /// # Panics
    /// If it is not answered with a value.
    pub async fn product(&self, worker: usize) -> (u64, String) {
        self.one(worker, Function::Product).await
    }

    /// One call of a cached function in one worker: its value, and how it was served.
    ///
    /// # Panics
    /// If it is not answered with a value.
    pub async fn one(&self, worker: usize, function: Function) -> (u64, String) {
        let answers = self.call(worker, "one", function, 1).await;
        let value = answers.values.into_keys().next().expect("the origin is up");
        (
            value,
            answers
                .served
                .into_keys()
                .next()
                .expect("the call was annotated"),
        )
    }

    /// Evicts through one worker.
    ///
    /// # Panics
    /// If Redis does not confirm it.
    pub async fn evict(&self, worker: usize, what: What) {
        self.ask(worker, "evict", what)
            .await
            .expect("Redis confirms the eviction");
    }

    /// Waits until all calls of this name are inside their call.
    ///
    /// # Panics
    /// If the worker dies.
    pub async fn waiting(&self, worker: usize, name: &str) {
        self.worker(worker)
            .event(name)
            .await
            .expect("the callers register");
    }

    /// A figure of one worker's cache.
    ///
    /// # Panics
    /// If the worker died.
    pub async fn figure(&self, worker: usize, name: &str) -> u64 {
        let figures = self
            .worker(worker)
            .ask("figures", json!(CACHE))
            .await
            .expect("it tells");
        figures[name]
            .as_u64()
            .unwrap_or_else(|| panic!("there is no figure `{name}`"))
    }

    /// A figure of all workers together.
    pub async fn figures(&self, name: &str) -> u64 {
        let mut sum = 0;
        for worker in 0..self.size() {
            sum += self.figure(worker, name).await;
        }
        sum
    }

    /// Whether a worker has the product in memory.
    ///
    /// # Panics
    /// If the worker died.
    pub async fn in_memory(&self, worker: usize) -> bool {
        let told = self
            .ask(worker, "in_memory", super::functions::key(7))
            .await;
        told.expect("it tells").as_bool().expect("yes or no")
    }

    /// Whether Redis has the product.
    pub async fn in_redis(&self) -> bool {
        let key = format!("{NAME}:{{{}}}", super::functions::key(7));
        self.server.cli(&["EXISTS", &key]).await.int() == 1
    }

    /// Nothing stays of the calls that are over: no lease in Redis, no flight and no queue in the workers that live. What they have begun in the background goes on without them, and ends a
    /// moment after its lease.
    ///
    /// # Panics
    /// If something stays.
    pub async fn nothing_is_left(&self, workers: impl IntoIterator<Item = usize>) {
        eventually::holds("no lease is left in Redis", async || {
            self.server
                .cli(&["KEYS", "*:lease"])
                .await
                .list()
                .is_empty()
        })
        .await;
        for worker in workers {
            for name in ["flights", "retry_queues"] {
                let what = format!("worker {worker} has no {name} left");
                eventually::holds(&what, async || self.figure(worker, name).await == 0).await;
            }
        }
    }

    async fn ask(
        &self,
        worker: usize,
        scenario: &str,
        what: impl Serialize,
    ) -> Result<serde_json::Value, crate::fleet::WorkerError> {
        let request = json!({ "cache": CACHE, "what": what });
        self.worker(worker).ask(scenario, request).await
    }
}
