use cache_runtime::cacheable;

#[cacheable(l1 = false, l2 = false)]
async fn product(id: u64) -> u64 {
    id
}

#[cacheable(l2 = false, ttl = 60, l1 = false)]
async fn other_order(id: u64) -> u64 {
    id
}

fn main() {}
