use cache_runtime::cacheable;

#[cacheable(key = ["product:{id}", "item:{id}"])]
async fn product(id: u64) -> u64 {
    id
}

fn main() {}
