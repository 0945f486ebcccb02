//! `#[cached]`: one store behind one lock.

use cached::macros::cached;
use common::{Candidate, Product, origin};
use std::sync::Arc;

#[cached]
async fn product(id: u64) -> Arc<Product> {
    origin::shared(id).await
}

#[cached]
async fn slow(id: u64) -> Arc<Product> {
    origin::slow(id).await
}

#[cached(unsync_reads = true)]
async fn product_read_together(id: u64) -> Arc<Product> {
    origin::shared(id).await
}

#[cached(sync_writes = "by_key")]
async fn product_by_key(id: u64) -> Arc<Product> {
    origin::shared(id).await
}

#[cached(sync_writes = "by_key")]
async fn slow_by_key(id: u64) -> Arc<Product> {
    origin::slow(id).await
}

#[derive(Clone, Copy)]
pub(crate) struct Plain;

impl Candidate for Plain {
    fn shared(self, id: u64) -> impl Future<Output = Arc<Product>> + Send {
        product(id)
    }

    fn slow(self, id: u64) -> impl Future<Output = Arc<Product>> + Send {
        slow(id)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct SharedReads;

impl Candidate for SharedReads {
    fn shared(self, id: u64) -> impl Future<Output = Arc<Product>> + Send {
        product_read_together(id)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct ByKey;

impl Candidate for ByKey {
    fn shared(self, id: u64) -> impl Future<Output = Arc<Product>> + Send {
        product_by_key(id)
    }

    fn slow(self, id: u64) -> impl Future<Output = Arc<Product>> + Send {
        slow_by_key(id)
    }
}
