//! What a worker process can be asked to do: open a cache, call annotated functions through it, and tell what is left.
//!
//! One process may hold several caches, told apart by a name of the test's own. Calls run until they are answered,
//! however long, so that "nobody is stuck" is an answer with everybody in it.

mod calls;
pub mod crew;
pub mod functions;
pub mod hammer;
pub mod load;
pub mod origin;
pub mod processes;
pub mod shop;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_runtime::testing::leftovers;
use cache_runtime::{Cache, Evict, Key, Memory, RedisHealth};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::promise::part::{self, Plan};
use crate::worker::{Answer, Events, Scenarios};

pub use self::calls::{Answers, Call, Function};

/// The name every cache of a fleet has in Redis.
pub const NAME: &str = "shop";

/// How a cache of a worker is built.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Open {
    /// What the test calls it.
    pub cache: String,
    /// Where its Redis is.
    pub url: String,
    /// What a call may lose to it.
    pub budget: Duration,
    /// How long memory is believed without it.
    pub grace: Duration,
}

impl Open {
    /// A cache with time enough for its commands that a busy machine changes nothing.
    pub fn at(cache: &str, url: String) -> Open {
        Open {
            cache: cache.to_owned(),
            url,
            budget: Duration::from_secs(5),
            grace: Duration::ZERO,
        }
    }
}

/// What is evicted through a worker's cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// One key, by its text.
    Key(String),
    /// What a glob matches.
    Pattern(String),
    /// What carries a tag.
    Tag(String),
    /// What is of an owner.
    Scope(String),
    /// What is below a region.
    Region(String),
    /// Everything.
    All,
}

/// A request about a cache.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct About<T> {
    cache: String,
    what: T,
}

/// What one worker knows.
#[derive(Debug, Default)]
struct Worker {
    caches: Mutex<HashMap<String, Cache>>,
    calls: calls::Running,
}

impl Worker {
    fn cache(&self, name: &str) -> Cache {
        let caches = self.caches.lock().expect("no holder panics");
        caches
            .get(name)
            .unwrap_or_else(|| panic!("no cache `{name}` was opened"))
            .clone()
    }

    async fn open(&self, open: Open) -> Answer {
        let cache = Cache::builder(NAME)
            .redis(open.url)
            .redis_budget(open.budget)
            .memory(Memory::new().offline_grace(open.grace))
            .build()?;
        cache.ready(Duration::from_secs(20)).await?;
        self.caches
            .lock()
            .expect("no holder panics")
            .insert(open.cache, cache);
        Ok(Value::Null)
    }

    /// Why a server is not connected to; an error if it is.
    async fn refused(&self, url: String) -> Answer {
        let cache = Cache::builder(NAME).redis(url).build()?;
        for _ in 0..3_000 {
            // What a first attempt meets may be a deadline of ours, on a loaded machine.
            if let Err(health) = cache.ready(Duration::from_millis(10)).await
                && let RedisHealth::Down { why, .. } = health.redis
                && !why.contains("within")
            {
                return Ok(json!(why));
            }
        }
        Err("it was not refused".into())
    }

    async fn evict(&self, request: About<What>) -> Answer {
        let evict = match request.what {
            What::Key(text) => Evict::key(Key::new(&text)),
            What::Pattern(pattern) => Evict::pattern(pattern),
            What::Tag(tag) => Evict::tag(tag),
            What::Scope(scope) => Evict::scope(scope),
            What::Region(region) => Evict::region(region),
            What::All => Evict::all(),
        };
        self.cache(&request.cache).evict(evict).await?;
        Ok(Value::Null)
    }

    fn figures(&self, cache: &str) -> Answer {
        let cache = self.cache(cache);
        let (total, left) = (cache.stats().total, leftovers(&cache));
        Ok(json!({
            "loads": total.loads,
            "shared": total.shared,
            "refused_stores": total.refused_stores,
            "wait_timeouts": total.wait_timeouts,
            "redis_errors": total.redis_errors,
            "flights": left.flights,
            "retry_queues": left.retry_queues,
        }))
    }

    async fn in_memory(&self, request: About<String>) -> Answer {
        let info = self
            .cache(&request.cache)
            .inspect(&Key::new(&request.what))
            .await;
        Ok(json!(info.is_some_and(|info| info.memory.is_some())))
    }

    async fn health(&self, cache: &str) -> Answer {
        Ok(json!(self.cache(cache).health().to_string()))
    }
}

/// A handler that reads its request as `T`.
fn on<T, F, Fut>(
    scenarios: Scenarios,
    worker: &Arc<Worker>,
    name: &'static str,
    handler: F,
) -> Scenarios
where
    T: for<'de> Deserialize<'de> + Send + 'static,
    F: Fn(Arc<Worker>, Events, T) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Answer> + Send + 'static,
{
    let worker = Arc::clone(worker);
    scenarios.on(name, move |events, with| {
        let (worker, handler) = (Arc::clone(&worker), handler.clone());
        async move { handler(worker, events, serde_json::from_value(with)?).await }
    })
}

/// Everything a worker can be asked for.
pub fn all() -> Scenarios {
    let worker = Arc::new(Worker::default());
    let all = Scenarios::new();
    let all = on(all, &worker, "open", |worker, _, open: Open| async move {
        worker.open(open).await
    });
    let all = on(
        all,
        &worker,
        "refused",
        |worker, _, url: String| async move { worker.refused(url).await },
    );
    let all = on(
        all,
        &worker,
        "call",
        |worker, events, call: Call| async move {
            let cache = worker.cache(&call.cache);
            Ok(serde_json::to_value(
                worker.calls.run(cache, events, call).await,
            )?)
        },
    );
    let all = on(
        all,
        &worker,
        "after_a_stop",
        |worker, events, call: Call| async move {
            let cache = worker.cache(&call.cache);
            Ok(json!(calls::after_a_stop(&cache, &events, &call).await))
        },
    );
    let all = on(
        all,
        &worker,
        "hammer",
        |worker, _, ask: hammer::Hammer| async move {
            let cache = worker.cache(&ask.cache);
            Ok(serde_json::to_value(hammer::run(&cache, ask).await)?)
        },
    );
    let all = on(
        all,
        &worker,
        "hang_up",
        |worker, _, name: String| async move { Ok(json!(worker.calls.hang_up(&name))) },
    );
    let all = on(
        all,
        &worker,
        "evict",
        |worker, _, what: About<What>| async move { worker.evict(what).await },
    );
    let all = on(
        all,
        &worker,
        "figures",
        |worker, _, cache: String| async move { worker.figures(&cache) },
    );
    let all = on(
        all,
        &worker,
        "in_memory",
        |worker, _, what: About<String>| async move { worker.in_memory(what).await },
    );
    let all = on(
        all,
        &worker,
        "health",
        |worker, _, cache: String| async move { worker.health(&cache).await },
    );
    let all = on(
        all,
        &worker,
        "promise",
        |_, events, plan: Plan| async move { part::play(events, plan).await },
    );
    on(
        all,
        &worker,
        "close",
        |worker, _, cache: String| async move {
            Ok(json!(
                worker
                    .cache(&cache)
                    .close(Duration::from_secs(10))
                    .await
                    .is_nothing()
            ))
        },
    )
}
