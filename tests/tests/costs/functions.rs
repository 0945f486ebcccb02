//! The annotated functions that are counted. Those that name no cache use the process's own, in which nothing else happens meanwhile: a
//! hit that meets a writer waits for it, and a thread that waits for a lock for the first time has a place made for it.

use std::sync::{Arc, LazyLock};

use cache_runtime::{Cache, cache_evict, cacheable};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct Product {
    id: u64,
    name: String,
    words: Vec<String>,
}

impl Product {
    pub(crate) fn of(id: u64) -> Product {
        Product {
            id,
            name: format!("Product {id}"),
            words: vec!["oak".to_owned(), "oiled".to_owned()],
        }
    }
}

fn shared(id: u64) -> Arc<Product> {
    Arc::new(Product::of(id))
}

#[cacheable(key = "product:{id}", ttl = "30m", stampede_protection)]
pub(crate) async fn product(id: u64) -> Arc<Product> {
    shared(id)
}

#[cacheable(
    key = "page:{tenant}:{category}:{page}",
    ttl = "30m",
    stampede_protection
)]
pub(crate) async fn page(tenant: u64, category: &str, page: u32) -> Arc<Product> {
    shared(tenant + category.len() as u64 + u64::from(page))
}

/// Forty bytes each.
pub(crate) static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let name = |id| format!("a-name-that-is-as-long-as-uuids-are-{id:04}");
    (0..super::hits::KEYS).map(name).collect()
});

#[cacheable(key = "named:{name}", ttl = "30m", stampede_protection)]
pub(crate) async fn named(name: &str) -> Arc<Product> {
    shared(name.len() as u64)
}

#[cacheable(key = "tagged:{id}", ttl = "30m", stampede_protection, tags = ["of:{id}"])]
pub(crate) async fn tagged(id: u64) -> Arc<Product> {
    shared(id)
}

#[cacheable(
    key = "thrice:{tenant}:{id}",
    ttl = "30m",
    stampede_protection,
    tags = ["of:{id}", "tenant:{tenant}", "products"]
)]
pub(crate) async fn thrice(tenant: u64, id: u64) -> Arc<Product> {
    shared(tenant + id)
}

#[cacheable(
    key = "refreshed:{id}",
    ttl = "30m",
    stampede_protection,
    background_refresh
)]
pub(crate) async fn refreshed(id: u64) -> Arc<Product> {
    shared(id)
}

#[cacheable(key = "owned:{id}", ttl = "30m", stampede_protection, cache = cache)]
pub(crate) async fn owned(cache: &Cache, id: u64) -> Product {
    Product::of(id)
}

/// The tags are rendered on every call: the key does not tell them.
#[cacheable(
    key = "of:{id}",
    ttl = "30m",
    stampede_protection,
    tags = ["tenant:{tenant}", "of:{tenant}:{id}"]
)]
pub(crate) async fn of_tenant(id: u64, tenant: u64) -> Arc<Product> {
    shared(id + tenant)
}

/// Only Redis has it.
#[cacheable(key = "remote:{id}", ttl = "30m", stampede_protection, l1 = false, cache = cache)]
pub(crate) async fn remote(cache: &Cache, id: u64) -> Arc<Product> {
    shared(id)
}

#[cacheable(key = "both:{id}", ttl = "30m", stampede_protection, cache = cache)]
pub(crate) async fn both(cache: &Cache, id: u64) -> Arc<Product> {
    shared(id)
}

#[cache_evict(key = "both:{id}", cache = cache)]
pub(crate) async fn forget_both(cache: &Cache, id: u64) {
    std::hint::black_box(id);
}

/// The same in memory: a site remembers the first cache that calls it, and tests run at once.
#[cacheable(key = "alone:{id}", ttl = "30m", stampede_protection, cache = cache)]
pub(crate) async fn alone(cache: &Cache, id: u64) -> Arc<Product> {
    shared(id)
}

#[cache_evict(key = "alone:{id}", cache = cache)]
pub(crate) async fn forget_alone(cache: &Cache, id: u64) {
    std::hint::black_box(id);
}

#[cacheable(key = "here:{id}", ttl = "30m", stampede_protection, cache = cache)]
pub(crate) async fn here(cache: &Cache, id: u64) -> Arc<Product> {
    shared(id)
}

#[cacheable(key = "long:{name}", ttl = "30m", stampede_protection, cache = cache)]
pub(crate) async fn long(cache: &Cache, name: &str) -> Arc<Product> {
    shared(name.len() as u64)
}

#[cacheable(key = "kind:{KIND}:{id}", ttl = "30m", stampede_protection, cache = cache)]
pub(crate) async fn of_kind<const KIND: u8>(cache: &Cache, id: u64) -> Arc<Product> {
    shared(id)
}
