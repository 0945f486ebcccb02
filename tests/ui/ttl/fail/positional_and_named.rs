use cache_runtime::cacheable;

#[cacheable(60, ttl = "10m")]
async fn product(id: u64) -> u64 {
    id
}

fn main() {}
