use cache_runtime::cacheable;

#[cacheable(ttl_from = "10m")]
async fn product(id: u64) -> u64 {
    id
}

fn main() {}
