use cache_runtime::cache_evict;

#[cache_evict(key = "product:{id}", ttl = 60)]
async fn rename(id: u64) {
    let _ = id;
}

#[cache_evict(patern = "products:*")]
async fn slip(id: u64) {
    let _ = id;
}

fn main() {}
