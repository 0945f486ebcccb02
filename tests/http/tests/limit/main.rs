//! Rate limits of services on real sockets, over a real Redis.

mod counting;
mod outage;
#[path = "../common/socket.rs"]
mod socket;
mod who;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use cache_http::limit::{RateLimit, RateLimits};
use cache_runtime::Cache;
use http::{Method, StatusCode};
use socket::{Answer, Service};
use tests::scenarios::processes::process;
use tests::server::RedisServer;

/// Longer than any test: what was counted stays so.
const HOUR: Duration = Duration::from_secs(3600);

/// An instance of a service, with the number of requests that reached what is behind its limits.
struct Instance {
    service: Service,
    reached: Arc<AtomicUsize>,
}

impl Instance {
    async fn with(limits: RateLimits) -> Instance {
        let reached = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&reached);
        let handler = get(move || {
            count.fetch_add(1, Ordering::SeqCst);
            async { "here" }
        });
        let app = Router::new()
            .route("/", handler.clone())
            .route("/a/{id}", handler.clone())
            .route("/b/{id}", handler)
            .layer(limits);
        let service = Service::start(app).await;
        Instance { service, reached }
    }

    /// With one limit, on a cache.
    async fn of(cache: &Cache, limit: RateLimit) -> Instance {
        Instance::with(RateLimits::new(cache).limit(limit)).await
    }

    fn reached(&self) -> usize {
        self.reached.load(Ordering::SeqCst)
    }

    async fn get(&self) -> Answer {
        self.get_from(Ipv4Addr::LOCALHOST, "/", &[]).await
    }

    /// Asks from an address of this machine's, all of 127.0.0.0/8.
    async fn get_from(&self, from: Ipv4Addr, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.service.send(Method::GET, from, path, headers).await
    }
}

/// Two instances of a service with one limit, over one Redis.
async fn two(server: &RedisServer, limit: RateLimit) -> [Instance; 2] {
    let one = Instance::of(&process(server).await, limit.clone()).await;
    let other = Instance::of(&process(server).await, limit).await;
    [one, other]
}

/// So many are let through, then nobody; each refusal says when to come back and whose limit it was.
async fn assert_lets_through(n: usize, mut ask: impl AsyncFnMut(usize) -> Answer) {
    for at in 0..n {
        let answer = ask(at).await;
        assert_eq!(answer.status, StatusCode::OK, "request {at}: {answer:?}");
    }
    let refused = ask(n).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "{refused:?}");
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
}
