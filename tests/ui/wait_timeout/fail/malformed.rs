use cache_runtime::cacheable;

#[cacheable(wait_timeout = "5000")]
async fn product(id: u64) -> u64 {
    id
}

fn main() {}
