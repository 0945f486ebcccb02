//! A function cached in memory and in Redis by this project.

use cache_runtime::{Cache, cacheable};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Product {
    id: u64,
    name: String,
}

// The attribute:
#[cacheable(key = "product:{id}", ttl = "10m", stampede_protection)]
async fn product(id: u64) -> Result<Product, String> {
    Ok(Product {
        id,
        name: format!("Product {id}"),
    })
}

#[tokio::main]
async fn main() {
    let cache = Cache::builder("shop")
        .redis("redis://127.0.0.1:6379")
        .build();
    cache
        .expect("the URL is right")
        .install()
        .expect("nobody else does");
    println!("{:?}", product(7).await);
}
