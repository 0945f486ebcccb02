//! cachekit's macro with its memory tier. It cannot be without a backend; the one here has nothing and keeps nothing, so that memory answers.
//! It keeps encoded bytes.

use async_trait::async_trait;
use cachekit::backend::{Backend, HealthStatus};
use cachekit::error::BackendError;
use cachekit::{CacheKit, CachekitError, cachekit};
use common::{Candidate, Product, Run, origin};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

fn main() {
    let run = Run::from_arguments();
    if run.variant() != "macro" {
        run.unknown();
    }
    let capacity = run.capacity();
    run.measure_made(async move {
        let cache = CacheKit::builder()
            .backend(Arc::new(Nothing))
            .l1_capacity(capacity)
            .build();
        Macro(Box::leak(Box::new(
            cache.expect("nothing of it can be wrong"),
        )))
    });
}

#[cachekit(client = cache, ttl = 600, interop = "product", namespace = "bench")]
async fn product(cache: &CacheKit, id: u64) -> Result<Arc<Product>, CachekitError> {
    Ok(origin::shared(id).await)
}

#[cachekit(client = cache, ttl = 600, interop = "slow", namespace = "bench")]
async fn slow(cache: &CacheKit, id: u64) -> Result<Arc<Product>, CachekitError> {
    Ok(origin::slow(id).await)
}

#[derive(Clone, Copy)]
struct Macro(&'static CacheKit);

impl Candidate for Macro {
    async fn shared(self, id: u64) -> Arc<Product> {
        product(self.0, id).await.expect("the origin does not fail")
    }

    async fn slow(self, id: u64) -> Arc<Product> {
        slow(self.0, id).await.expect("the origin does not fail")
    }
}

struct Nothing;

#[async_trait]
impl Backend for Nothing {
    async fn get(&self, _key: &str) -> Result<Option<Vec<u8>>, BackendError> {
        Ok(None)
    }

    async fn set(
        &self,
        _key: &str,
        _value: Vec<u8>,
        _ttl: Option<Duration>,
    ) -> Result<(), BackendError> {
        Ok(())
    }

    async fn delete(&self, _key: &str) -> Result<bool, BackendError> {
        Ok(false)
    }

    async fn exists(&self, _key: &str) -> Result<bool, BackendError> {
        Ok(false)
    }

    async fn health(&self) -> Result<HealthStatus, BackendError> {
        Ok(HealthStatus {
            is_healthy: true,
            latency_ms: 0.0,
            backend_type: "nothing".to_owned(),
            details: HashMap::new(),
        })
    }
}
