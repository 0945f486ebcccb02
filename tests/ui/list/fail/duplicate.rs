use cache_runtime::cacheable;

#[cacheable(ttl = 60, version = 1, ttl = 120)]
async fn product(id: u64) -> u64 {
    id
}

fn main() {}
