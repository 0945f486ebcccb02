use cache_runtime::cacheable;

#[cacheable(negative_ttl = 0)]
async fn product(id: u64) -> Option<u64> {
    Some(id)
}

fn main() {}
