use cache_runtime::cache_evict;

#[cache_evict(keys = ["product:{id}", "stock:{sku}"], pattern = "list:{shop}:*")]
async fn rename(id: u64) {
    let _ = id;
}

fn main() {}
