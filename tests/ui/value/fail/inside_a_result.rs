use cache_runtime::cacheable;
use serde::Serialize;

#[derive(Clone, Serialize)]
struct Product {
    id: u64,
}

#[cacheable(key = "product:{id}")]
async fn product(id: u64) -> Result<Vec<Product>, std::io::Error> {
    Ok(vec![Product { id }])
}

fn main() {}
