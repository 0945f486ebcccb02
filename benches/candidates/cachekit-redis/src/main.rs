//! cachekit's macro over its Redis backend, with its retries and breaker, without and with memory in front. It keeps MessagePack.

use cachekit::backend::redis::RedisBackend;
use cachekit::reliability::ReliabilityConfig;
use cachekit::{CacheKit, CachekitError, cachekit};
use common::{Candidate, Product, Run, origin};
use std::sync::Arc;

fn main() {
    let run = Run::from_arguments();
    let memory = match run.variant() {
        "redis" => false,
        "both" => true,
        _ => run.unknown(),
    };
    run.measure_made(async {
        let backend = RedisBackend::builder().url(run.redis()).auto_reconnect();
        let backend = backend.build().expect("the runner gives a URL");
        backend.connect().await.expect("the server listens");
        let cache = CacheKit::builder()
            .backend(Arc::new(backend))
            .reliability(ReliabilityConfig::default());
        let cache = match memory {
            true => cache.l1_capacity(run.capacity()),
            false => cache.no_l1(),
        };
        let cache = cache.build().expect("nothing of it can be wrong");
        Macro(Box::leak(Box::new(cache)))
    });
}

#[cachekit(client = cache, ttl = 600, interop = "product", namespace = "bench")]
async fn product(cache: &CacheKit, id: u64) -> Result<Product, CachekitError> {
    Ok(origin::owned(id).await)
}

#[cachekit(client = cache, ttl = 600, interop = "slow", namespace = "bench")]
async fn slow(cache: &CacheKit, id: u64) -> Result<Arc<Product>, CachekitError> {
    Ok(origin::slow(id).await)
}

#[derive(Clone, Copy)]
struct Macro(&'static CacheKit);

/// Where Redis does not answer and the macro says so, the origin does.
impl Candidate for Macro {
    async fn owned(self, id: u64) -> Product {
        match product(self.0, id).await {
            Ok(value) => value,
            Err(_) => origin::owned(id).await,
        }
    }

    async fn slow(self, id: u64) -> Arc<Product> {
        match slow(self.0, id).await {
            Ok(value) => value,
            Err(_) => origin::slow(id).await,
        }
    }
}
