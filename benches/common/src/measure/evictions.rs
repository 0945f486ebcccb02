//! How long an eviction takes, by what it selects and how many entries there are.

use super::{median, together};
use crate::candidate::{Candidate, Selection};
use crate::origin;
use crate::product::Value;
use crate::report::Report;
use crate::run::Parameters;
use crate::server::Server;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Entries that are brought in for all rounds of a sample together, so that few entries are evicted often and many once.
const BUDGET: u64 = 20_000;
const REST: Duration = Duration::from_millis(50);
/// Keys of no measure, for what the first eviction of a process does besides.
const WARM: u64 = 1 << 40;

pub(crate) fn measure<C: Candidate>(
    runtime: &Runtime,
    candidate: C,
    parameters: &Parameters,
    entries: u64,
) -> Report {
    let select = match parameters.word("select", "key") {
        "key" => Selection::Key,
        "tag" => Selection::Tag,
        "region" => Selection::Region,
        "pattern" => Selection::Pattern,
        unknown => panic!("nothing is selected by `{unknown}`"),
    };
    // Which entries there are: all of one shelf, but for a pattern, which is to find its tenth.
    let number = move |id| match select {
        Selection::Pattern => id,
        _ => id * Selection::SHELVES,
    };
    // Of each entry, made by the server: more entries than can be brought in in a reasonable time.
    let copies = parameters.number("copies", 0);
    let mut server = parameters.server().map(Server::at);
    let rounds = (BUDGET / entries).clamp(1, 20);
    let mut times = Vec::new();
    runtime.block_on(async {
        let task = tokio::spawn(async move {
            candidate.evict(select, WARM).await;
            candidate.filed(WARM).await;
            candidate.evict(select, WARM).await;
        });
        task.await.expect("neither panics");
    });
    for _ in 0..rounds {
        // Twice, because a load may not be stored where an eviction was at work a moment ago.
        for _ in 0..2 {
            runtime.block_on(together::fill(entries, move |id| async move {
                let value = candidate.filed(number(id)).await;
                Filed { id, value }
            }));
        }
        if let Some(server) = &mut server {
            multiply(server, entries, copies);
        }
        times.push(runtime.block_on(async {
            let task = tokio::spawn(async move {
                // After many entries as after few, everybody has come to rest.
                tokio::time::sleep(REST).await;
                let start = Instant::now();
                candidate.evict(select, 0).await;
                let took = start.elapsed();
                // It is gone: the origin runs again.
                let runs = origin::runs();
                candidate.filed(0).await;
                assert_eq!(origin::runs() - runs, 1, "an evicted entry was served");
                took
            });
            task.await
                .expect("an eviction does not panic")
                .as_secs_f64()
                * 1e3
        }));
    }
    let ms = median(times);
    Report::new().figure("ms", ms).figure("us", ms * 1e3)
}

/// Gives each entry its copies, and sees that all are there.
fn multiply(server: &mut Server, entries: u64, copies: u64) {
    if copies > 0 {
        server.copy(copies);
    }
    let keys = server.keys();
    assert!(
        keys * 10 >= entries * (1 + copies) * 9,
        "{keys} keys for {entries} entries with {copies} copies each, {} expired",
        server.expired()
    );
}

/// A value under another number than that of its key.
struct Filed<V> {
    id: u64,
    value: V,
}

impl<V: Value> Value for Filed<V> {
    fn number(&self) -> u64 {
        let _ = self.value.number();
        self.id % origin::PRODUCTS
    }
}
