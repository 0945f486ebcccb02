//! A function cached in memory and in Redis by hitbox.

use hitbox::offload::OffloadManager;
use hitbox::policy::PolicyConfig;
use hitbox_backend::composition::Compose;
use hitbox_fn::{Cache, CacheableResponse, cached};
use hitbox_moka::MokaBackend;
use hitbox_redis::{ConnectionMode, RedisBackend};
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Clone, Debug, Serialize, Deserialize, CacheableResponse)]
struct Product {
    id: u64,
    name: String,
}

// The attribute:
#[cached(prefix = "product")]
async fn product(id: u64) -> Result<Product, String> {
    Ok(Product {
        id,
        name: format!("Product {id}"),
    })
}

#[tokio::main]
async fn main() {
    let memory = MokaBackend::builder().max_entries(10_000).build();
    let redis = RedisBackend::builder()
        .connection(ConnectionMode::single("redis://127.0.0.1:6379/"))
        .build();
    let redis = redis.expect("the URL is right");
    let cache = Cache::builder()
        .backend(memory.compose(redis, OffloadManager::with_defaults()))
        .policy(
            PolicyConfig::builder()
                .ttl(Duration::from_secs(600))
                .build(),
        )
        .build();
    println!("{:?}", product(7).cache(&cache).await);
}
