#![deny(warnings)]

use cache_runtime::cacheable;

const BETA: f64 = 2.0;

#[cacheable(key = "flag:{id}", early_refresh)]
async fn flag(id: u64) -> u64 {
    id
}

#[cacheable(key = "beta:{id}", early_refresh = 1.5, background_refresh)]
async fn beta(id: u64) -> u64 {
    id
}

#[cacheable(key = "whole:{id}", early_refresh = 3)]
async fn whole(id: u64) -> u64 {
    id
}

#[cacheable(key = "constant:{id}", early_refresh = BETA)]
async fn constant(id: u64) -> u64 {
    id
}

#[tokio::main]
async fn main() {
    assert_eq!(flag(1).await + beta(1).await + whole(1).await + constant(1).await, 4);
}
