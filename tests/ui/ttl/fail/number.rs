use cache_runtime::cacheable;

#[cacheable(ttl = -1)]
async fn negative() -> u64 {
    1
}

#[cacheable(ttl = 0)]
async fn zero() -> u64 {
    1
}

#[cacheable(ttl = "0s")]
async fn zero_text() -> u64 {
    1
}

#[cacheable(ttl = 1.5)]
async fn float() -> u64 {
    1
}

#[cacheable(ttl = 60u64)]
async fn suffix() -> u64 {
    1
}

#[cacheable(ttl = true)]
async fn boolean() -> u64 {
    1
}

#[cacheable(99999999999999999999)]
async fn too_long() -> u64 {
    1
}

fn main() {}
