use cache_runtime::cacheable;

#[cacheable(stampede_protection = "off", wait_timeout = "5s")]
async fn product(id: u64) -> u64 {
    id
}

fn main() {}
