//! What an entry costs Redis beyond its key, `product:1234`, and its payload, the value as JSON: by what the server has asked of its allocator before and after.
//!
//! So it counts the server's own table and the time to live, how its allocator rounds, a library's prefixes and envelope, and whatever else it keeps for an entry. The same of the
//! bytes of keys and values alone is what the library adds to them.

use super::together;
use crate::candidate::Candidate;
use crate::origin;
use crate::report::Report;
use crate::run::Parameters;
use crate::server::Server;
use std::thread;
use std::time::Duration;
use tokio::runtime::Runtime;

/// The table grows by doubling and lets go of the old one in the background.
const SETTLED: Duration = Duration::from_secs(1);
const WARM: u64 = 1 << 40;

pub(crate) fn measure<C: Candidate>(
    runtime: &Runtime,
    candidate: C,
    parameters: &Parameters,
    entries: u64,
) -> Report {
    let mut server = Server::at(parameters.redis());
    // As many tasks as will fill it, so that the server has its buffers.
    let warm = move |id| async move {
        candidate.owned(WARM + id).await;
        origin::table()[(id % origin::PRODUCTS) as usize].clone()
    };
    runtime.block_on(together::fill(64, warm));
    thread::sleep(SETTLED);
    let texts = server.texts();
    let (before, keys) = (server.used_memory(), server.keys());
    runtime.block_on(together::fill(entries, move |id| candidate.owned(id)));
    thread::sleep(SETTLED);
    let used = (server.used_memory() - before) as f64;
    let held = (0..entries).map(|id| {
        let product = &origin::table()[(id % origin::PRODUCTS) as usize];
        let json = serde_json::to_vec(&**product).expect("a product can be encoded");
        format!("product:{id}").len() + json.len()
    });
    let held = held.sum::<usize>() as f64;
    let entries = entries as f64;
    Report::new()
        .figure("bytes_beyond", (used - held) / entries)
        .figure(
            "texts_beyond",
            (server.texts() - texts) as f64 / entries - held / entries,
        )
        .figure("keys", (server.keys() - keys) as f64 / entries)
}
