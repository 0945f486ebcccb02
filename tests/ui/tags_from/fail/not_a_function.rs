use cache_runtime::{cache_evict, cacheable};

#[cacheable(tags_from = "owner")]
async fn text(id: u64) -> u64 {
    id
}

#[cacheable(tags_from = ["owner"])]
async fn list(id: u64) -> u64 {
    id
}

#[cacheable(tags_from)]
async fn nothing(id: u64) -> u64 {
    id
}

#[cache_evict(tags_from = |value| vec![value.to_string()])]
async fn evict(id: u64) -> u64 {
    id
}

fn main() {}
