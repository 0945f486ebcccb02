// Nothing may be accepted and do nothing: what the framework does not do is unknown.
use cache_runtime::{cache_evict, cacheable};

#[cacheable(early_bird)]
async fn product(id: u64) -> u64 {
    id
}

#[cache_evict(key = "a", later = "5s")]
async fn rename() {}

fn main() {}
