use cache_runtime::cacheable;

#[cacheable(jitter = 1.5)]
async fn above() -> u64 {
    1
}

#[cacheable(jitter = 10)]
async fn percent() -> u64 {
    1
}

#[cacheable(jitter = -0.1)]
async fn below() -> u64 {
    1
}

#[cacheable(jitter = "10%")]
async fn text() -> u64 {
    1
}

fn main() {}
