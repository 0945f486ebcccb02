use cache_runtime::cacheable;

#[cacheable(ttl = 60 * 5)]
async fn product(id: u64) -> u64 {
    id
}

fn main() {}
