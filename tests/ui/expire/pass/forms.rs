#![deny(warnings)]

use cache_runtime::cache_evict;

#[cache_evict(key = "product:{id}", expire)]
async fn key(id: u64) {
    let _ = id;
}

#[cache_evict(tags = "id:{id}", region = "products", scope = "user:{id}", pattern = "shop:*:{id}", expire, always)]
async fn every_kind(id: u64) -> Result<(), std::fmt::Error> {
    let _ = id;
    Ok(())
}

#[cache_evict(expire, all)]
async fn all() {}

#[tokio::main]
async fn main() {
    key(1).await;
    assert!(every_kind(1).await.is_ok());
    all().await;
}
