use cache_runtime::cacheable;

#[cacheable(condition = id)]
async fn product(id: u64) -> u64 {
    id
}

fn main() {}
