use cache_runtime::cacheable;

#[cacheable(negative_ttl = "1 minute")]
async fn product(id: u64) -> Option<u64> {
    Some(id)
}

fn main() {}
