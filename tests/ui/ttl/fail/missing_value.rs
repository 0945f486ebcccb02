use cache_runtime::cacheable;

#[cacheable(ttl)]
async fn flag() -> u64 {
    1
}

#[cacheable(ttl = , version = 1)]
async fn nothing() -> u64 {
    1
}

#[cacheable(ttl("10m"))]
async fn parentheses() -> u64 {
    1
}

fn main() {}
