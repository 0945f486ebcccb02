//! The annotated functions: one for each shape of key, value and label whose cost is worth knowing.

use std::sync::Arc;

use cache_runtime::{cache_evict, cacheable};
use serde::{Deserialize, Serialize};

/// What a table of products would give; two of its fields are on the heap.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Product {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) cents: u64,
    pub(crate) stock: u32,
    pub(crate) listed: bool,
}

impl Product {
    pub(crate) fn of(id: u64) -> Product {
        Product {
            id,
            name: format!("Product {id}"),
            description: "Made of oak, oiled twice, and delivered in three parts.".to_owned(),
            cents: 129_900,
            stock: 12,
            listed: true,
        }
    }
}

#[cacheable(key = "product:{id}", ttl = "30m", stampede_protection)]
pub(crate) async fn product(id: u64) -> Arc<Product> {
    Arc::new(Product::of(id))
}

#[cacheable(
    key = "page:{tenant}:{category}:{page}",
    ttl = "30m",
    stampede_protection
)]
pub(crate) async fn page(tenant: u64, category: &str, page: u32) -> Arc<Product> {
    Arc::new(Product::of(
        tenant + category.len() as u64 + u64::from(page),
    ))
}

#[cacheable(key = "named:{name}", ttl = "30m", stampede_protection)]
pub(crate) async fn named(name: &str) -> Arc<Product> {
    Arc::new(Product::of(name.len() as u64))
}

#[cacheable(key = "tagged:{id}", ttl = "30m", stampede_protection, tags = ["of:{id}"])]
pub(crate) async fn tagged(id: u64) -> Arc<Product> {
    Arc::new(Product::of(id))
}

fn shelf_of(id: u64) -> u64 {
    id % 100
}

/// Its key does not tell its tag.
#[cacheable(key = "shelved:{id}", ttl = "30m", stampede_protection, tags = ["shelf:{shelf_of(id)}"])]
pub(crate) async fn shelved(id: u64) -> Arc<Product> {
    Arc::new(Product::of(id))
}

#[cacheable(key = "owned:{id}", ttl = "30m", stampede_protection)]
pub(crate) async fn owned(id: u64) -> Product {
    Product::of(id)
}

/// Always asks Redis.
#[cacheable(key = "remote:{id}", ttl = "30m", stampede_protection, l1 = false)]
pub(crate) async fn remote(id: u64) -> Arc<Product> {
    Arc::new(Product::of(id))
}

#[cache_evict(key = "product:{id}")]
pub(crate) async fn forget(id: u64) {
    std::hint::black_box(id);
}
