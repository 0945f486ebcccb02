use cache_runtime::cacheable;

#[cacheable(consistency_check)]
async fn flag() -> u64 {
    1
}

#[cacheable(consistency_check = 0)]
async fn zero() -> u64 {
    1
}

#[cacheable(consistency_check = 1.01)]
async fn above() -> u64 {
    1
}

#[cacheable(consistency_check = "1%")]
async fn text() -> u64 {
    1
}

fn main() {}
