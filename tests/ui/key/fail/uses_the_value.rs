use cache_runtime::cacheable;

#[cacheable(key = "product:{result}")]
async fn product(id: u64) -> u64 {
    id
}

fn main() {}
