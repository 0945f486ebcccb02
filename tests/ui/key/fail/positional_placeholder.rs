use cache_runtime::cacheable;

#[cacheable(key = "product:{0}")]
async fn product(id: u64) -> u64 {
    id
}

fn main() {}
