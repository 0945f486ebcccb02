use cache_runtime::cacheable;

#[cacheable(ttl_from = |value| value * 2)]
async fn product(id: u64) -> u64 {
    id
}

fn main() {}
