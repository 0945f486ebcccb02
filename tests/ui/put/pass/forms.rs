#![deny(warnings)]

use cache_runtime::{cache_evict, cache_put};
use std::time::Duration;

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Product {
    id: u64,
    life: Duration,
}

fn product(id: u64) -> Product {
    Product { id, life: Duration::from_secs(id) }
}

#[cache_put(key = "product:{id}", ttl = "30m", jitter = 0.1, version = 2, unless = |product| product.id == 0)]
async fn update(id: u64) -> Result<Product, std::fmt::Error> {
    Ok(product(id))
}

#[cache_put(key = "product:{id}", ttl_from = |product| product.life, l1 = false, condition = id != 7)]
async fn lives(id: u64) -> Product {
    product(id)
}

#[cache_put(key = "product:{result.id}:{name}", ttl = Duration::from_secs(name.len() as u64), l2 = false)]
async fn create(name: String) -> Product {
    product(name.len() as u64)
}

#[cache_put(key = "maybe:{id}", negative_ttl = 5)]
async fn maybe(id: u64) -> Result<Option<u64>, std::fmt::Error> {
    Ok((id > 0).then_some(id))
}

#[cache_evict(pattern = "products:*")]
#[cache_put(key = "product:{id}")]
async fn with_eviction(id: u64) -> u64 {
    id
}

#[tokio::main]
async fn main() {
    assert_eq!(update(1).await.unwrap().id, 1);
    assert_eq!(lives(7).await.id, 7);
    assert_eq!(create("abc".to_owned()).await.id, 3);
    assert_eq!(maybe(0).await, Ok(None));
    assert_eq!(with_eviction(1).await, 1);
}
