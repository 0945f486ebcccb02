#![deny(warnings)]

use cache_runtime::cacheable;
use std::time::Duration;

const TTL: Duration = Duration::from_secs(60);

/// Alone, a name in capitals is a value and no option.
#[cacheable(TTL)]
async fn alone(id: u64) -> u64 {
    id
}

#[cacheable(TTL, key = "product:{id}")]
async fn beside_others(id: u64) -> u64 {
    id
}

#[tokio::main]
async fn main() {
    assert_eq!(alone(1).await + beside_others(1).await, 2);
}
