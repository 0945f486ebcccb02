use cache_runtime::cache_evict;

#[cache_evict(all, key = "product:{id}")]
async fn rename(id: u64) {
    let _ = id;
}

fn main() {}
