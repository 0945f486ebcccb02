use cache_runtime::cacheable;

#[cacheable(l1 = true)]
async fn on() -> u64 {
    1
}

#[cacheable(l1 = 0)]
async fn zero() -> u64 {
    1
}

#[cacheable(l2 = "10s")]
async fn capped() -> u64 {
    1
}

#[cacheable(l2)]
async fn flag() -> u64 {
    1
}

fn main() {}
