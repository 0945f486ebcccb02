//! `cached`'s macro over Redis. It returns the error of Redis, so a function that is to survive it runs its origin itself.

use cached::AsyncRedisCache;
use cached::macros::concurrent_cached;
use common::{Candidate, Product, Run, origin};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

static URL: OnceLock<String> = OnceLock::new();
static TTL: OnceLock<Duration> = OnceLock::new();

fn main() {
    let run = Run::from_arguments();
    let ttl = match run.variant() {
        "macro" => 600,
        "ttl-1s" => 1,
        "ttl-1h" => 3_600,
        _ => run.unknown(),
    };
    URL.get_or_init(|| run.redis().to_owned());
    TTL.get_or_init(|| Duration::from_secs(ttl));
    run.measure(Macro);
}

async fn cache<V>(prefix: &str) -> AsyncRedisCache<u64, V>
where
    V: serde::Serialize + serde::de::DeserializeOwned + Send + Sync,
{
    let made = AsyncRedisCache::builder(prefix)
        .connection_string(URL.get().expect("main sets it"))
        .ttl(*TTL.get().expect("main sets it"))
        .build();
    made.await.expect("the server listens")
}

#[concurrent_cached(
    ty = "AsyncRedisCache<u64, Product>",
    create = r##"{ cache("product").await }"##,
    map_error = r##"|_| ()"##
)]
async fn product(id: u64) -> Result<Product, ()> {
    Ok(origin::owned(id).await)
}

#[concurrent_cached(
    ty = "AsyncRedisCache<u64, Arc<Product>>",
    create = r##"{ cache("slow").await }"##,
    map_error = r##"|_| ()"##
)]
async fn slow(id: u64) -> Result<Arc<Product>, ()> {
    Ok(origin::slow(id).await)
}

#[derive(Clone, Copy)]
struct Macro;

impl Candidate for Macro {
    async fn owned(self, id: u64) -> Product {
        match product(id).await {
            Ok(value) => value,
            Err(()) => origin::owned(id).await,
        }
    }

    async fn slow(self, id: u64) -> Arc<Product> {
        match slow(id).await {
            Ok(value) => value,
            Err(()) => origin::slow(id).await,
        }
    }
}
