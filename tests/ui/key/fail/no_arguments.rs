use cache_runtime::cacheable;

#[cacheable(key = "settings:{id}")]
async fn settings() -> u64 {
    1
}

fn main() {}
