#![deny(warnings)]

use cache_runtime::cache_evict;

#[cache_evict(tags = ["id:{id}", "value:{result}"], region = "products", scope = "user:{id}", hold = "2s")]
async fn labels(id: u64) -> u64 {
    id
}

#[cache_evict(key = "product:{id}", keys = ["stock:{id}"], hold = 2)]
async fn keys(id: u64) {
    let _ = id;
}

#[cache_evict(all, hold = "2s")]
async fn all() {}

#[cache_evict(pattern = ["products:*", "products:{id}:*", "{id}:list:*", "shop:{result}:*"], hold = "2s")]
async fn patterns_that_are_regions(id: u64) -> u64 {
    id
}

#[cache_evict("products:*", hold = "2s", expire)]
async fn positional() {}

#[tokio::main]
async fn main() {
    assert_eq!(labels(1).await, 1);
    keys(1).await;
    all().await;
    assert_eq!(patterns_that_are_regions(1).await, 1);
    positional().await;
}
