//! A function that is not cached: what the others are compared with, line by line.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Product {
    id: u64,
    name: String,
}

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
