use cache_runtime::cacheable;

#[cacheable(unless = |value| *value == id)]
async fn product(id: u64) -> u64 {
    id
}

fn main() {}
