use cache_runtime::cacheable;
use std::time::Duration;

#[cacheable(ttl_from = |value| Duration::from_secs(value + id))]
async fn product(id: u64) -> u64 {
    id
}

fn main() {}
