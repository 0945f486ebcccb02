use cache_runtime::cacheable;

#[cacheable(key = "product:{id}")]
async fn product(id: u64) -> u64 {
    let _ = (__key, __found, __ready);
    id
}

fn main() {}
