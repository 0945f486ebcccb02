use cache_runtime::cacheable;

#[cacheable(version = "2")]
async fn text() -> u64 {
    1
}

#[cacheable(version = -1)]
async fn negative() -> u64 {
    1
}

#[cacheable(version = 5000000000)]
async fn too_large() -> u64 {
    1
}

const SCHEMA: u32 = 2;

#[cacheable(version = SCHEMA)]
async fn constant() -> u64 {
    1
}

fn main() {}
