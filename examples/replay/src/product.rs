//! The annotated function: all that a service has to write.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cache_runtime::cacheable;

use crate::catalogue::{Catalogue, Product};

/// What the function needs to answer.
#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) catalogue: Catalogue,
    pub(crate) ttl: Duration,
    /// Runs of the body, counted where they happen: the cache's own counters are what is being checked.
    pub(crate) loads: AtomicU64,
}

/// A product's row. One process of the fleet loads it, every other caller waits or finds it.
#[cacheable(key = "product:{id}", ttl = shop.ttl, stampede_protection = "fleet", wait_timeout = "30s")]
pub(crate) async fn product(id: u32, shop: &Shop) -> Result<Product, rusqlite::Error> {
    shop.loads.fetch_add(1, Ordering::Relaxed);
    shop.catalogue.product(id).await
}
