use cache_runtime::cache_evict;

#[cache_evict(key = "product:{result}")]
async fn rename(result: u64) -> u64 {
    result
}

fn main() {}
