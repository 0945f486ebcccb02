//! A service with a cache, and its administration.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::Router;
use cache_http::admin::{self, Caches, Guard};
use cache_runtime::{Cache, Policy, cacheable};
use tests::{eventually::PATIENCE, server::RedisServer};
use tokio::{net::TcpListener, task::JoinHandle};

/// What the guard of these services asks for.
pub(crate) const TOKEN: &str = "a-token-for-these-tests";

/// Where the administration is nested.
pub(crate) const PATH: &str = "/admin/cache";

/// How often the origin of [`product`] ran, by the counter that is passed to it.
pub(crate) type Runs = Arc<AtomicU64>;

/// A product, with a tag.
#[cacheable(key = "product:{id}", tags = ["all products"], ttl = "10m", stampede_protection)]
pub(crate) async fn product(id: u64, runs: Runs) -> String {
    tokio::time::sleep(Duration::from_millis(2)).await;
    format!("product {id}, run {}", runs.fetch_add(1, Ordering::Relaxed))
}

/// What belongs to a user; its key has something to escape.
#[cacheable(key = "basket:{name}", scope = "user:{user}", ttl = "10m")]
pub(crate) async fn basket(name: &str, user: &str, runs: Runs) -> String {
    format!(
        "{name} of {user}, run {}",
        runs.fetch_add(1, Ordering::Relaxed)
    )
}

/// Whoever loads it has it longer than anybody else.
#[cacheable(key = "quote:{id}", ttl = "1ms")]
pub(crate) async fn quote(id: u64) -> u64 {
    tokio::time::sleep(Duration::from_millis(5)).await;
    id
}

/// A running service; it ends with the value.
pub(crate) struct Shop {
    pub(crate) address: SocketAddr,
    pub(crate) cache: Cache,
    pub(crate) runs: Runs,
    task: JoinHandle<()>,
}

impl Shop {
    /// In memory alone.
    pub(crate) async fn in_memory() -> Self {
        let cache = Cache::builder("shop").defaults(Policy::new().jitter(0.0));
        Self::of(
            cache.build().expect("nothing is wrong with it"),
            Guard::token(TOKEN),
        )
        .await
    }

    /// With Redis behind it, which is there.
    pub(crate) async fn on(redis: &RedisServer) -> Self {
        let cache = Cache::builder("shop")
            .redis(redis.url())
            .defaults(Policy::new().jitter(0.0));
        let cache = cache.build().expect("nothing is wrong with it");
        cache.ready(PATIENCE).await.expect("the server runs");
        Self::of(cache, Guard::token(TOKEN)).await
    }

    pub(crate) async fn of(cache: Cache, guard: Guard) -> Self {
        Self::with(cache.clone(), cache, guard).await
    }

    /// With several on its page.
    pub(crate) async fn with(cache: Cache, shown: impl Into<Caches>, guard: Guard) -> Self {
        let app = Router::new().nest_service(PATH, admin::router(shown, guard));
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("some port is free");
        let address = listener.local_addr().expect("it is bound");
        let task = tokio::spawn(async move {
            axum::serve(listener, app)
                .await
                .expect("it serves until it is dropped");
        });
        Self {
            address,
            cache,
            runs: Runs::default(),
            task,
        }
    }

    pub(crate) async fn product(&self, id: u64) -> String {
        self.cache
            .as_current(product(id, Arc::clone(&self.runs)))
            .await
    }

    pub(crate) async fn basket(&self, name: &str, user: &str) -> String {
        self.cache
            .as_current(basket(name, user, Arc::clone(&self.runs)))
            .await
    }

    pub(crate) fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.task.abort();
    }
}
