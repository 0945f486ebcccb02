use cache_runtime::{cache_evict, cacheable};

#[cache_evict(region = "products:list:*")]
async fn whole() {}

#[cache_evict(region = ["shops", "products:*:list"])]
async fn glob() {}

#[cache_evict(region = "products:")]
async fn colon() {}

#[cache_evict(region = [])]
async fn empty_list() {}

#[cache_evict(region = "")]
async fn empty() {}

#[cache_evict(region = ["products", "products"])]
async fn twice() {}

#[cache_evict(region = "{table}")]
async fn unknown(id: u64) {
    let _ = id;
}

#[cache_evict(region = "products", all)]
async fn beside_all() {}

#[cacheable(region = "products")]
async fn read(id: u64) -> u64 {
    id
}

fn main() {}
