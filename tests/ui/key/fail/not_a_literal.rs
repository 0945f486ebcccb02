use cache_runtime::cacheable;

const KEY: &str = "product:{id}";

#[cacheable(key = KEY)]
async fn product(id: u64) -> u64 {
    id
}

fn main() {}
