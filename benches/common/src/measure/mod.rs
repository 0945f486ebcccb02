//! The measures. Each runs on a multi-threaded runtime with as many workers as there are cores, as a service does.

pub(crate) mod aborted;
pub(crate) mod cliff;
pub(crate) mod cold_fleet;
pub(crate) mod entries;
pub(crate) mod evictions;
pub(crate) mod hits;
pub(crate) mod misses;
pub(crate) mod redis_hits;
pub(crate) mod redis_memory;
pub(crate) mod redis_misses;
pub(crate) mod stampede;
pub(crate) mod stopped;
mod together;

use std::thread;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

pub(crate) fn runtime() -> Runtime {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let runtime = Builder::new_multi_thread()
        .worker_threads(cores)
        .enable_all()
        .build();
    runtime.expect("the system has threads and an event queue for us")
}

/// Hits between two looks at the clock, so that a slice takes half a millisecond whatever a hit takes: of longer ones hardly any
/// would go without the task losing its core, and a slow library would pay for that alone.
fn slice(hits: usize, took: Duration) -> usize {
    let nanoseconds = took.as_nanos() as usize / hits;
    (500_000 / nanoseconds.max(1)).clamp(64, 1 << 15)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
