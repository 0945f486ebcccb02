use cache_runtime::cache_evict;

#[cache_evict(all = true)]
async fn equals() {}

#[cache_evict(key = "products", before(now))]
async fn parentheses() {}

#[cache_evict(key = "products", always = false)]
async fn off() {}

fn main() {}
