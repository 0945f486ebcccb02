use cache_runtime::cacheable;

#[cacheable(crate = cache_runtime)]
async fn relative() -> u64 {
    1
}

#[cacheable(crate = self::cache)]
async fn from_self() -> u64 {
    1
}

#[cacheable(crate = "cache_runtime")]
async fn text() -> u64 {
    1
}

#[cacheable(crate)]
async fn flag() -> u64 {
    1
}

fn main() {}
