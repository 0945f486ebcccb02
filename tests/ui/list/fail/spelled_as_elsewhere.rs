use cache_runtime::{cache_evict, cacheable};

#[cacheable(expire = 60)]
async fn expire() -> u64 {
    1
}

#[cacheable(time = 60, sync_writes = true)]
async fn time() -> u64 {
    1
}

#[cacheable(key_prefix = "shop", size = 100)]
async fn prefix() -> u64 {
    1
}

#[cacheable(grace = "1m", refresh_ahead = 0.8)]
async fn grace() -> u64 {
    1
}

#[cache_evict(allEntries = true)]
async fn all_entries() {}

fn main() {}
