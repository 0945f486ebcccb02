use cache_runtime::{cache_evict, cacheable};

#[cacheable]
struct Product;

#[cache_evict(all)]
impl Product {}

fn main() {}
