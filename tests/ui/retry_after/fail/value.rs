use cache_runtime::cacheable;

#[cacheable(stale_if_error = "1h", retry_after = 0)]
async fn zero() -> u64 {
    1
}

#[cacheable(retry_after = 1.5)]
async fn fraction() -> u64 {
    1
}

fn main() {}
