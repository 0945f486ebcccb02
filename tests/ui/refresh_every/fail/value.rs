use cache_runtime::cacheable;

#[cacheable(refresh_every = 0)]
async fn zero() -> u64 {
    1
}

#[cacheable(refresh_every)]
async fn flag() -> u64 {
    1
}

#[cacheable(refresh_every = "daily")]
async fn word() -> u64 {
    1
}

fn main() {}
