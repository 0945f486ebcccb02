use cache_runtime::{cache_evict, cache_put, cacheable};

#[cacheable(tag = "products")]
async fn tag(id: u64) -> u64 {
    id
}

#[cacheable(cache_tags = "products", group = "shop", owner = "user")]
async fn others(id: u64) -> u64 {
    id
}

#[cache_put(key = "product:{id}", namespace = "shop", tenant = "{id}", invalidate_tags = "products")]
async fn put(id: u64) -> u64 {
    id
}

#[cache_evict(invalidate_tags = "products", tenant = "{id}")]
async fn evict(id: u64) {
    let _ = id;
}

#[cache_evict(tag = "products", namespace = "shop")]
async fn evict_others(id: u64) {
    let _ = id;
}

fn main() {}
