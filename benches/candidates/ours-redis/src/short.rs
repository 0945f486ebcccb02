//! A ttl that runs out during the measure, refreshed in the background, and one that does not.

use cache_runtime::cacheable;
use common::{Candidate, Product, origin};
use std::sync::Arc;

#[cacheable(
    key = "slow:{id}",
    ttl = "1s",
    jitter = 0.0,
    background_refresh = 0.8,
    stampede_protection
)]
async fn slow_for_a_second(id: u64) -> Arc<Product> {
    origin::slow(id).await
}

#[cacheable(
    key = "slow:{id}",
    ttl = "1h",
    jitter = 0.0,
    background_refresh = 0.8,
    stampede_protection
)]
async fn slow_for_an_hour(id: u64) -> Arc<Product> {
    origin::slow(id).await
}

#[derive(Clone, Copy)]
pub(crate) struct Second;

impl Candidate for Second {
    fn slow(self, id: u64) -> impl Future<Output = Arc<Product>> + Send {
        slow_for_a_second(id)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Hour;

impl Candidate for Hour {
    fn slow(self, id: u64) -> impl Future<Output = Arc<Product>> + Send {
        slow_for_an_hour(id)
    }
}
