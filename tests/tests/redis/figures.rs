//! What `Cache::stats` tells of a server: how long it takes to answer, and what kind of errors there are.

use std::time::Duration;

use cache_runtime::{Cache, Key, Policy};
use tests::eventually;
use tests::scenarios::processes::{connected, of_url, process};
use tests::server::RedisServer;

async fn load(cache: &Cache, number: u64) {
    let (key, policy) = (Key::new(&format!("a:{number}")), Policy::new().l1(false));
    let load = || async move { number };
    assert_eq!(cache.get_or_load(&key, &policy, load).await, number);
}

#[tokio::test]
async fn round_trips_are_told_and_errors_by_kind() {
    let server = RedisServer::start().await;
    let cache = process(&server).await;
    let before = cache.stats().redis.round_trips;
    load(&cache, 1).await;
    let first = cache.stats().redis.round_trips.since(&before);
    assert_eq!(first.count(), 3, "a look, a lease, a store");
    load(&cache, 1).await;
    let both = cache.stats().redis.round_trips.since(&before);
    assert_eq!(both.count(), 4);
    assert!(both.quantile(1.0).unwrap() < Duration::from_secs(10));
    assert!(both.sum() > Duration::ZERO);

    // Half of it refused, then nothing answered, then nobody there.
    let impatient = connected(of_url(&server.url())).await;
    server.cli(&["CONFIG", "SET", "maxmemory", "1"]).await;
    load(&impatient, 2).await;
    let stats = impatient.stats().total;
    assert!(stats.redis_refused >= 1, "{stats:?}");
    assert_eq!(stats.redis_errors, stats.redis_refused);
    server.cli(&["CONFIG", "SET", "maxmemory", "0"]).await;
    server.stop();
    load(&impatient, 3).await;
    let stats = impatient.stats().total;
    assert!(stats.redis_timeouts >= 1, "{stats:?}");
    server.kill();
    let mut number = 4;
    eventually::holds("it is known to be gone", async || {
        number += 1;
        load(&impatient, number).await;
        impatient.stats().total.redis_unavailable > 0
    })
    .await;
    let all = impatient.stats().total;
    let kinds = [
        all.redis_refused,
        all.redis_timeouts,
        all.redis_unavailable,
        all.redis_busy,
        all.redis_protocol,
    ];
    assert_eq!(kinds.iter().sum::<u64>(), all.redis_errors);
}
