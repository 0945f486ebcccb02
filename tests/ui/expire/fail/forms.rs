use cache_runtime::{cache_evict, cache_put};

#[cache_evict(expire)]
async fn nothing() {}

#[cache_evict(key = "product:{id}", expire = "2s")]
async fn value(id: u64) {
    let _ = id;
}

#[cache_evict(key = "product:{id}", expire, expire)]
async fn twice(id: u64) {
    let _ = id;
}

#[cache_evict(key = "product:{id}", mark_stale)]
async fn spelling(id: u64) {
    let _ = id;
}

#[cache_put(key = "product:{id}", expire)]
async fn put(id: u64) -> u64 {
    id
}

fn main() {}
