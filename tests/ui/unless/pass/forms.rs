#![deny(warnings)]

use cache_runtime::cacheable;

#[cacheable(key = "path:{id}", unless = Vec::is_empty)]
async fn path(id: u64) -> Vec<u64> {
    vec![id]
}

#[cacheable(key = "closure:{id}", unless = |values| values.len() > 100)]
async fn closure(id: u64) -> Result<Vec<u64>, String> {
    Ok(vec![id])
}

#[tokio::main]
async fn main() {
    assert_eq!(path(1).await, [1]);
    assert_eq!(closure(1).await, Ok(vec![1]));
}
