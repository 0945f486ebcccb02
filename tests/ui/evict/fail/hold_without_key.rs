use cache_runtime::cache_evict;

#[cache_evict(pattern = "products:*", hold = "2s")]
async fn pattern() {}

#[cache_evict(hold = "2s", all)]
async fn all() {}

#[cache_evict(key = "products", hold = 0)]
async fn zero() {}

fn main() {}
