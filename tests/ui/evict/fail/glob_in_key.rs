use cache_runtime::cache_evict;

#[cache_evict(key = "products:list:*")]
async fn rename(id: u64) {
    let _ = id;
}

fn main() {}
