use cache_runtime::{cache_evict, cache_put, cacheable};

#[cacheable(key = "product:{id}", scope = "user:{result}")]
async fn read(id: u64) -> u64 {
    id
}

#[cache_put(key = "product:{result}", scope = "user:{result}")]
async fn put(id: u64) -> u64 {
    id
}

#[cache_evict(key = "product:{id}", scope = "user:{result}")]
async fn evict(id: u64) -> u64 {
    id
}

#[cache_evict(key = "product:{result}", scope = "user:{id}", before)]
async fn nothing_before(id: u64) -> u64 {
    id
}

fn main() {}
