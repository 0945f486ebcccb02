use cache_runtime::cacheable;

#[cacheable(idle = "1h")]
async fn alone() -> u64 {
    1
}

#[cacheable(idle = 0, refresh_every = "5m")]
async fn zero() -> u64 {
    1
}

fn main() {}
