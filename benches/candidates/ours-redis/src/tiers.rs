//! Redis alone, and memory over Redis.

use cache_runtime::cacheable;
use common::{Candidate, Document, Product, origin};
use std::sync::Arc;

#[cacheable(key = "product:{id}", ttl = "10m", stampede_protection, l1 = false)]
async fn product(id: u64) -> Product {
    origin::owned(id).await
}

#[cacheable(key = "document:{id}", ttl = "10m", stampede_protection, l1 = false)]
async fn document(id: u64) -> Document {
    origin::document(id).await
}

#[cacheable(key = "slow:{id}", ttl = "10m", stampede_protection, l1 = false)]
async fn slow(id: u64) -> Arc<Product> {
    origin::slow(id).await
}

#[cacheable(key = "product:{id}", ttl = "10m", stampede_protection)]
async fn product_in_both(id: u64) -> Product {
    origin::owned(id).await
}

#[cacheable(key = "slow:{id}", ttl = "10m", stampede_protection)]
async fn slow_in_both(id: u64) -> Arc<Product> {
    origin::slow(id).await
}

#[derive(Clone, Copy)]
pub(crate) struct RedisAlone;

impl Candidate for RedisAlone {
    fn owned(self, id: u64) -> impl Future<Output = Product> + Send {
        product(id)
    }

    fn document(self, id: u64) -> impl Future<Output = Document> + Send {
        document(id)
    }

    fn slow(self, id: u64) -> impl Future<Output = Arc<Product>> + Send {
        slow(id)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Both;

impl Candidate for Both {
    fn owned(self, id: u64) -> impl Future<Output = Product> + Send {
        product_in_both(id)
    }

    fn slow(self, id: u64) -> impl Future<Output = Arc<Product>> + Send {
        slow_in_both(id)
    }
}
