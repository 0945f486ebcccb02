//! Caches on a model of Redis, each standing for a process, on tokio's clock.

use std::time::Duration;

use cache_runtime::testing::{Fate, Faults, ModelRedis, Network, Passage, Step};
use cache_runtime::{Cache, Policy};

/// The Redis budget of a call in [`process`].
pub const BUDGET: Duration = Duration::from_millis(100);

/// The deadline of an eviction in [`process`].
pub const EVICT_DEADLINE: Duration = Duration::from_secs(1);

/// One more process on this Redis.
///
/// # Panics
/// If the settings make no sense.
pub fn process(redis: &ModelRedis) -> Cache {
    Cache::builder("model")
        .defaults(Policy::new().jitter(0.0))
        .model_redis(redis)
        .tokio_clock()
        .redis_budget(BUDGET)
        .evict_deadline(EVICT_DEADLINE)
        .build()
        .expect("the settings make sense")
}

/// From now on no command arrives.
pub fn silence(redis: &ModelRedis) {
    redis.set_faults(Faults {
        lost: 1.0,
        ..Faults::default()
    });
}

/// From now on every command is answered, after at most `delay` each way.
pub fn answer(redis: &ModelRedis, delay: Duration) {
    redis.set_faults(Faults {
        delay,
        ..Faults::default()
    });
}

/// A network on which these steps of one process, given by its number, take so long, and nothing else takes any time.
#[derive(Clone, Debug)]
pub struct Slow {
    /// The process.
    pub process: usize,
    /// Its steps.
    pub steps: Vec<(Step, Duration)>,
}

impl Network for Slow {
    fn step(&self, process: usize, step: Step) -> Passage {
        let slow = self.steps.iter().find(|(slow, _)| *slow == step);
        let takes = match (step, slow) {
            (Step::Patience(within), _) => within,
            (_, Some((_, takes))) if process == self.process => *takes,
            _ => return Box::pin(std::future::ready(Fate::Arrived)),
        };
        Box::pin(async move {
            tokio::time::sleep(takes).await;
            Fate::Arrived
        })
    }
}
