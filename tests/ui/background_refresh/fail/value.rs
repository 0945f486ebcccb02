use cache_runtime::cacheable;

#[cacheable(background_refresh = 0)]
async fn zero() -> u64 {
    1
}

#[cacheable(background_refresh = 0.0)]
async fn zero_point_zero() -> u64 {
    1
}

#[cacheable(background_refresh = 80)]
async fn percent() -> u64 {
    1
}

#[cacheable(background_refresh = "0.8")]
async fn text() -> u64 {
    1
}

#[cacheable(background_refresh = true)]
async fn yes() -> u64 {
    1
}

#[cacheable(background_refresh(0.8))]
async fn parenthesised() -> u64 {
    1
}

#[cacheable(background_refresh = -0.5)]
async fn negative() -> u64 {
    1
}

fn main() {}
