//! What limits do without Redis.

use std::time::{Duration, Instant};

use cache_http::limit::{Fallback, RateLimit, RateLimits};
use cache_runtime::Cache;
use http::StatusCode;
use tests::caches;
use tests::eventually;
use tests::scenarios::processes::{connected, of_url};
use tests::server::RedisServer;

use crate::{HOUR, Instance, assert_lets_through};

/// Far more than the budget of 100 ms on a busy machine, and far less than a caller that waits for a dead socket.
const SOON: Duration = Duration::from_secs(5);

async fn instance(cache: &Cache, fallback: Fallback) -> Instance {
    let limit = RateLimit::gcra(4, HOUR).on_outage(fallback);
    Instance::with(RateLimits::new(cache).limit(limit).instances(2)).await
}

#[tokio::test]
async fn without_redis_a_limit_counts_in_memory() {
    let cache = caches::in_memory();
    let gcra = Instance::of(&cache, RateLimit::gcra(3, HOUR)).await;
    assert_lets_through(3, async |_| gcra.get().await).await;
    let window = Instance::of(&cache, RateLimit::sliding_window(3, HOUR)).await;
    assert_lets_through(3, async |_| window.get().await).await;
    assert_eq!((gcra.reached(), window.reached()), (3, 3));
}

#[tokio::test]
async fn a_redis_that_stops_or_dies_makes_no_request_fail() {
    let server = RedisServer::start().await;
    let cache = connected(of_url(&server.url())).await;
    let counted = instance(&cache, Fallback::Memory).await;
    let open = instance(&cache, Fallback::Allow).await;
    let shut = instance(&cache, Fallback::Deny).await;
    for instance in [&counted, &open, &shut] {
        assert_eq!(instance.get().await.status, StatusCode::OK);
    }

    server.stop();
    let started = Instant::now();
    // Two of four, because there are two instances.
    assert_lets_through(2, async |_| counted.get().await).await;
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    for _ in 0..6 {
        let answer = open.get().await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("ratelimit"), None, "nobody knows");
    }
    let reached = shut.reached();
    let refused = shut.get().await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(shut.reached(), reached);
    server.cont();

    server.kill();
    assert_eq!(counted.get().await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(open.get().await.status, StatusCode::OK);

    server.restart().await;
    eventually::holds("limits are those of Redis again", async || {
        shut.get().await.status == StatusCode::OK
    })
    .await;
    let answer = counted.get().await;
    assert_eq!(
        answer.status,
        StatusCode::OK,
        "a server that was restarted empty has counted nothing"
    );
}
