use cache_runtime::cacheable;

#[cacheable(ttl = |value| value.life)]
async fn product(id: u64) -> u64 {
    id
}

fn main() {}
