use cache_runtime::cacheable;

#[cacheable(cache = "products")]
async fn product(id: u64) -> u64 {
    id
}

fn main() {}
