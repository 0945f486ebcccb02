use cache_runtime::{cache_evict, cacheable};

#[cacheable(key = "product:{id}")]
#[cache_evict(key = "product:{id}")]
async fn above(id: u64) -> u64 {
    id
}

#[cache_evict(key = "product:{id}")]
#[cacheable(key = "product:{id}")]
async fn below(id: u64) -> u64 {
    id
}

fn main() {}
