use cache_runtime::{cache_evict, cacheable};

#[cacheable(key = "product:{id}")]
async fn tail(id: u64) -> String {
    id
}

#[cacheable(key = "product:{id}")]
async fn early(id: u64) -> u64 {
    if id > 1 {
        return "one";
    }
    id
}

#[cache_evict(key = "product:{id}")]
async fn evicting(id: u64) -> Result<u64, String> {
    Ok(Some(id))
}

fn main() {}
