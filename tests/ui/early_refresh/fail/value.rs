use cache_runtime::cacheable;

#[cacheable(early_refresh = 0)]
async fn zero() -> u64 {
    1
}

#[cacheable(early_refresh = -1.0)]
async fn negative() -> u64 {
    1
}

#[cacheable(early_refresh = "1.0")]
async fn text() -> u64 {
    1
}

#[cacheable(early_refresh = 1e999)]
async fn endless() -> u64 {
    1
}

#[cacheable(early_refresh = |delta| delta)]
async fn closure() -> u64 {
    1
}

fn main() {}
