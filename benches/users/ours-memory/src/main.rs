//! A function cached in memory by this project.

use cache_runtime::cacheable;
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
    println!("{:?}", product(7).await);
}
