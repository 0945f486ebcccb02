//! What a large cache costs: bytes for each entry, and what a hit takes when the map no longer fits the caches of the core.
//!
//! Keys are numbers; the values are `Arc`s of the same 10,000 products, so a value is one pointer. Bytes are those asked of the allocator
//! and still held after the fill, less the pointer and the key as the library keeps it ([`Candidate::key_bytes`]). At the end the cache is filled
//! beyond its bound, so that it has all it will ever have.

use super::{median, slice};
use crate::candidate::Candidate;
use crate::counting::Counting;
use crate::keys::{self, Distribution};
use crate::measure::hits;
use crate::report::Report;
use crate::run::Parameters;
use crate::{origin, process};
use std::hint::black_box;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// More than with few keys: 4 MB of numbers, or a draw out of ten million would know only the popular ones.
const DRAWS: usize = 1 << 20;

/// The resident set before there was a cache.
static RESIDENT: OnceLock<Option<u64>> = OnceLock::new();

/// Before the candidate makes its cache: some allocate all they will need.
pub(crate) fn begin() {
    Counting::start();
    RESIDENT.get_or_init(process::resident);
}

pub(crate) fn measure<C: Candidate>(
    runtime: &Runtime,
    candidate: C,
    parameters: &Parameters,
    keys: u64,
    bound: u64,
) -> Report {
    let time = Duration::from_millis(if parameters.quick() { 200 } else { 600 });
    let task = async move {
        hits::fill(keys, |id| candidate.shared(id)).await;
        let live = Counting::live();
        let resident = process::resident()
            .zip(*RESIDENT.get().expect("the run begins the measure"))
            .map(|(after, before)| after.saturating_sub(before));
        let mut nanoseconds = [0.0; 2];
        let before = origin::runs();
        for (slot, distribution) in nanoseconds
            .iter_mut()
            .zip([Distribution::Zipf, Distribution::Uniform])
        {
            *slot = looked_up(candidate, &keys::draw(distribution, keys, DRAWS), time).await;
        }
        let missed = origin::runs() - before;
        assert!(missed * 200 < DRAWS as u64, "{missed} calls were misses");
        for id in keys..keys * 2 {
            black_box(candidate.shared(id).await);
        }
        (live, resident, Counting::live(), nanoseconds)
    };
    let (live, resident, full, [zipf, uniform]) = runtime
        .block_on(async { tokio::spawn(task).await })
        .expect("a hit does not panic");
    let key_bytes: usize = (0..keys).map(|id| candidate.key_bytes(id)).sum();
    let own = key_bytes as f64 / keys as f64 + size_of::<usize>() as f64;
    let beyond = |bytes: f64, entries: u64| bytes / entries as f64 - own;
    Report::new()
        .figure("bytes_beyond", beyond(live as f64, keys))
        .perhaps(
            "resident_beyond",
            resident.map(|bytes| beyond(bytes as f64, keys)),
        )
        .figure("bytes_full", beyond(full as f64, bound))
        .figure("zipf_ns", zipf)
        .figure("uniform_ns", uniform)
}

async fn looked_up<C: Candidate>(candidate: C, ids: &[u32], time: Duration) -> f64 {
    let began = Instant::now();
    for &id in ids {
        black_box(candidate.shared(u64::from(id)).await);
    }
    let slice = slice(ids.len(), began.elapsed());
    let mut slices = Vec::new();
    let start = Instant::now();
    for slice in ids.chunks(slice).cycle() {
        let began = Instant::now();
        for &id in slice {
            black_box(candidate.shared(u64::from(id)).await);
        }
        slices.push(began.elapsed().as_nanos() as f64 / slice.len() as f64);
        if start.elapsed() >= time {
            break;
        }
    }
    median(slices)
}
