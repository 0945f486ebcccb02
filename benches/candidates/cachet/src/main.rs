//! cachet's memory tier with a time to live and its stampede protection, and without the latter.

use cachet::Cache;
use common::{Candidate, Product, Run, origin};
use std::sync::Arc;
use std::time::Duration;
use tick::Clock;

fn main() {
    let run = Run::from_arguments();
    let protected = match run.variant() {
        "protected" => true,
        "plain" => false,
        _ => run.unknown(),
    };
    let capacity = run.capacity() as u64;
    // The clock is tokio's, and must be made on the runtime.
    run.measure_made(async move {
        let builder = Cache::builder::<u64, Arc<Product>>(Clock::new_tokio())
            .memory_with(|memory| memory.max_capacity(capacity))
            .ttl(Duration::from_secs(600));
        let cache = match protected {
            true => builder.stampede_protection().build(),
            false => builder.build(),
        };
        Cachet(Box::leak(Box::new(cache)))
    });
}

#[derive(Clone, Copy)]
struct Cachet(&'static Cache<u64, Arc<Product>>);

impl Candidate for Cachet {
    async fn shared(self, id: u64) -> Arc<Product> {
        let entry = self.0.get_or_insert(&id, move || origin::shared(id)).await;
        entry.expect("memory does not fail").into_value()
    }

    async fn slow(self, id: u64) -> Arc<Product> {
        let entry = self.0.get_or_insert(&id, move || origin::slow(id)).await;
        entry.expect("memory does not fail").into_value()
    }
}
