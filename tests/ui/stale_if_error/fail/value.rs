use cache_runtime::cacheable;

#[cacheable(stale_if_error = "0s")]
async fn zero() -> u64 {
    1
}

#[cacheable(stale_if_error)]
async fn flag() -> u64 {
    1
}

#[cacheable(stale_if_error = true)]
async fn yes() -> u64 {
    1
}

fn main() {}
