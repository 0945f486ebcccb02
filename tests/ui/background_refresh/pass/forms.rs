#![deny(warnings)]

use cache_runtime::cacheable;

const SHARE: f64 = 0.5;

struct Shares {
    half: f64,
}

#[cacheable(key = "flag:{id}", background_refresh)]
async fn flag(id: u64) -> u64 {
    id
}

#[cacheable(key = "share:{id}", background_refresh = 0.5, stampede_protection)]
async fn share(id: u64) -> Option<u64> {
    Some(id)
}

#[cacheable(key = "whole:{id}", background_refresh = 1, stampede_protection = "off")]
async fn whole(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[cacheable(key = "constant:{id}", background_refresh = SHARE)]
async fn constant(id: u64) -> Result<Option<u64>, String> {
    Ok(Some(id))
}

#[cacheable(key = "expression:{id}", background_refresh = shares.half / 2.0)]
async fn expression(shares: std::sync::Arc<Shares>, id: u64) -> u64 {
    id
}

#[tokio::main]
async fn main() {
    assert_eq!(flag(1).await, 1);
    assert_eq!(share(1).await, Some(1));
    assert_eq!(whole(1).await, Ok(1));
    assert_eq!(constant(1).await, Ok(Some(1)));
    assert_eq!(expression(std::sync::Arc::new(Shares { half: 1.0 }), 1).await, 1);
}
