//! oxcache's macro over its memory backend. It keeps encoded bytes.

use common::{Candidate, Product, Run, origin};
use oxcache::Cache;
use oxcache::macros::cached;
use std::sync::Arc;

fn main() {
    let run = Run::from_arguments();
    if run.variant() != "macro" {
        run.unknown();
    }
    let capacity = run.capacity() as u64;
    run.measure_made(async move {
        let cache: Cache<String, Vec<u8>> = Cache::builder()
            .capacity(capacity)
            .build()
            .await
            .expect("memory does not fail");
        cache
            .register_for_macro("bench")
            .await
            .expect("the name is free");
        Macro
    });
}

#[cached(service = "bench", ttl = 600)]
async fn product(id: u64) -> Result<Arc<Product>, String> {
    Ok(origin::shared(id).await)
}

#[cached(service = "bench", ttl = 600)]
async fn slow(id: u64) -> Result<Arc<Product>, String> {
    Ok(origin::slow(id).await)
}

#[derive(Clone, Copy)]
struct Macro;

impl Candidate for Macro {
    async fn shared(self, id: u64) -> Arc<Product> {
        product(id).await.expect("the origin does not fail")
    }

    async fn slow(self, id: u64) -> Arc<Product> {
        slow(id).await.expect("the origin does not fail")
    }
}
