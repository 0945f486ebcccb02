#![deny(warnings)]

use cache_runtime::cacheable;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(3600);

#[cacheable(60)]
async fn positional() -> u64 {
    1
}

#[cacheable(ttl = 60)]
async fn seconds() -> u64 {
    2
}

#[cacheable(ttl = "1d2h3m4s5ms6us7ns")]
async fn every_unit() -> u64 {
    3
}

#[cacheable(ttl = LONG)]
async fn constant() -> u64 {
    4
}

#[cacheable(Duration::from_secs(seconds) * 2)]
async fn expression(seconds: u64) -> u64 {
    seconds
}

struct Config {
    ttl: Duration,
}

// The expression borrows what the body then consumes.
#[cacheable(key = "consumed", ttl = config.ttl)]
async fn consumed(config: Config) -> Duration {
    let Config { ttl } = config;
    ttl
}

#[tokio::main]
async fn main() {
    assert_eq!(positional().await + seconds().await + every_unit().await + constant().await, 10);
    assert_eq!(expression(5).await, 5);
    assert_eq!(consumed(Config { ttl: LONG }).await, LONG);
}
