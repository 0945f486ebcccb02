#![deny(warnings)]

use cache_runtime::cacheable;
use std::time::Duration;

const SHARE: f64 = 0.25;
const WAIT: Duration = Duration::from_secs(2);

#[cacheable(
    key = "literals:{id}",
    jitter = 0.1,
    negative_ttl = "1m",
    stampede_protection = "process",
    wait_timeout = "250ms",
    version = 7,
    l1 = "10s",
    l2 = false,
)]
async fn literals(id: u64) -> Option<u64> {
    Some(id)
}

#[cacheable(key = "expressions:{id}", jitter = SHARE, negative_ttl = WAIT, wait_timeout = WAIT * 2, l1 = WAIT, stampede_protection)]
async fn expressions(id: u64) -> Option<u64> {
    Some(id)
}

#[cacheable(key = "edges:{id}", jitter = 0, wait_timeout = 0, l1 = false, stampede_protection = "fleet")]
async fn edges(id: u64) -> Option<u64> {
    Some(id)
}

#[cacheable(key = "off:{id}", jitter = 1, stampede_protection = "off")]
async fn off(id: u64) -> Option<u64> {
    Some(id)
}

fn main() {
    let _ = (literals(1), expressions(1), edges(1), off(1));
}
