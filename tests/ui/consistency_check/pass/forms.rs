#![deny(warnings)]

use cache_runtime::cacheable;

const SHARE: f64 = 0.01;

#[cacheable(key = "share:{id}", consistency_check = 0.01)]
async fn share(id: u64) -> u64 {
    id
}

#[cacheable(key = "all:{id}", consistency_check = 1)]
async fn all(id: u64) -> u64 {
    id
}

#[cacheable(key = "constant:{id}", consistency_check = SHARE)]
async fn constant(id: u64) -> u64 {
    id
}

#[tokio::main]
async fn main() {
    assert_eq!(share(1).await + all(1).await + constant(1).await, 3);
}
