use cache_runtime::cache_evict;

#[cache_evict(key = "products", hold = 0)]
async fn zero() {}

#[cache_evict(hold = "2s")]
async fn alone() {}

fn main() {}
