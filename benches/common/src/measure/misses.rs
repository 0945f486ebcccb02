//! What a miss costs: keys that were never asked for, an origin that answers at once, one task.
//!
//! The number of misses is fixed and the cache holds them all, so that nobody evicts and everybody grows to the same size.

use crate::candidate::Candidate;
use crate::origin;
use crate::product::Value;
use crate::report::Report;
use std::hint::black_box;
use std::time::Instant;
use tokio::runtime::Runtime;

pub(crate) const COUNT: u64 = 200_000;
/// Runs first, uncounted.
const WARM: u64 = 2_000;

pub(crate) fn measure<C: Candidate>(runtime: &Runtime, candidate: C) -> Report {
    let task = async move {
        for id in 0..WARM {
            assert_eq!(candidate.shared(id).await.number(), id % origin::PRODUCTS);
        }
        let before = origin::runs();
        let start = Instant::now();
        for id in WARM..WARM + COUNT {
            black_box(candidate.shared(id).await);
        }
        let elapsed = start.elapsed();
        assert_eq!(origin::runs() - before, COUNT, "each was a miss");
        elapsed
    };
    let elapsed = runtime.block_on(async { tokio::spawn(task).await });
    let elapsed = elapsed.expect("a miss does not panic");
    Report::new().figure("ns_per_op", elapsed.as_nanos() as f64 / COUNT as f64)
}
