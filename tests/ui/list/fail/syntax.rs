use cache_runtime::cacheable;

#[cacheable(ttl: 60)]
async fn colon() -> u64 {
    1
}

#[cacheable(ttl = 60 version = 2)]
async fn no_comma() -> u64 {
    1
}

#[cacheable(ttl = 60, = 2)]
async fn no_name() -> u64 {
    1
}

fn main() {}
