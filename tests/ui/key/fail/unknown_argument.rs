use cache_runtime::cacheable;

#[cacheable(key = "product:{tenant}:{id}")]
async fn product(id: u64, name: String) -> u64 {
    let _ = name;
    id
}

fn main() {}
