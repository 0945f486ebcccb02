use cache_runtime::{cache_put, cacheable};

#[cacheable("product:{id}")]
async fn key(id: u64) -> u64 {
    id
}

#[cacheable("10m")]
async fn time(id: u64) -> u64 {
    id
}

#[cache_put("product:{id}")]
async fn put(id: u64) -> u64 {
    id
}

fn main() {}
