#![deny(warnings)]

use std::time::Duration;

use cache_runtime::cacheable;

#[cacheable(key = "text:{id}", ttl = "10m", refresh_every = "5m", idle = "1h")]
async fn text(id: u64) -> u64 {
    id
}

#[cacheable(key = "expression:{id}", refresh_every = Duration::from_secs(300), idle = Duration::from_secs(60))]
async fn expression(id: u64) -> u64 {
    id
}

#[cacheable(key = "alone:{id}", refresh_every = 300)]
async fn alone(id: u64) -> u64 {
    id
}

#[tokio::main]
async fn main() {
    assert_eq!(text(1).await + expression(1).await + alone(1).await, 3);
}
