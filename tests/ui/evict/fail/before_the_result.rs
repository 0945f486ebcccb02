use cache_runtime::cache_evict;

#[cache_evict(key = "product:{result}", before)]
async fn create(id: u64) -> u64 {
    id
}

fn main() {}
