//! A function cached in Redis by `cached`; that has one tier for each function.

use cached::macros::concurrent_cached;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Product {
    id: u64,
    name: String,
}

// The attribute:
#[concurrent_cached(redis = true, ttl_secs = 600, map_error = |error| error.to_string())]
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
