#![deny(warnings)]

use cache_runtime::{cache_evict, cache_put, cacheable};

#[cacheable(key = "product:{name}", condition = id > 0 && !name.is_empty())]
async fn product(id: u64, name: String) -> String {
    let _ = id;
    name
}

#[cache_evict(key = "product:{name}", condition = name.len() > 1)]
async fn rename(name: String) -> usize {
    name.len()
}

#[cache_put(key = "product:{name}", condition = matches!(name.as_str(), "a" | "b"))]
async fn update(name: String) -> String {
    name
}

#[tokio::main]
async fn main() {
    assert_eq!(product(0, "a".to_owned()).await, "a");
    assert_eq!(rename("ab".to_owned()).await, 2);
    assert_eq!(update("b".to_owned()).await, "b");
}
