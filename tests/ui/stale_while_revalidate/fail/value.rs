use cache_runtime::cacheable;

#[cacheable(stale_while_revalidate = 0)]
async fn zero() -> u64 {
    1
}

#[cacheable(stale_while_revalidate)]
async fn flag() -> u64 {
    1
}

#[cacheable(stale_while_revalidate = 0.5)]
async fn fraction() -> u64 {
    1
}

#[cacheable(stale_while_revalidate = "1 m")]
async fn malformed() -> u64 {
    1
}

fn main() {}
