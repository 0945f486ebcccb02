use cache_runtime::cacheable;

#[cacheable(hard_timeout = "2s")]
async fn plain(id: u64) -> u64 {
    id
}

#[cacheable(hard_timeout = "2s")]
async fn optional(id: u64) -> Option<u64> {
    Some(id)
}

#[cacheable(hard_timeout = "2s")]
async fn nothing() {}

fn main() {}
