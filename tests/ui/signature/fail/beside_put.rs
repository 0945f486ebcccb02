use cache_runtime::{cache_put, cacheable};

#[cacheable(key = "product:{id}")]
#[cache_put(key = "product:{id}")]
async fn product(id: u64) -> u64 {
    id
}

fn main() {}
