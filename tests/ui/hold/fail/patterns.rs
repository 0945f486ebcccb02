use cache_runtime::cache_evict;

#[cache_evict(pattern = "products:*:list", hold = "2s")]
async fn in_the_middle() {}

#[cache_evict(hold = "2s", pattern = ["products:*", "products*"])]
async fn no_colon() {}

#[cache_evict("product?:*", hold = "2s")]
async fn two_globs() {}

#[cache_evict(pattern = "*", hold = "2s")]
async fn everything() {}

#[cache_evict(pattern = "product:{id}", hold = "2s")]
async fn no_glob(id: u64) {
    let _ = id;
}

fn main() {}
