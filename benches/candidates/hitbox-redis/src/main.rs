//! hitbox's macro over its Redis backend, in its default encoding (bincode), without and with the protection against stampedes.

use common::{Candidate, Product, Run, origin};
use hitbox::concurrency::{BroadcastConcurrencyManager, NoopConcurrencyManager};
use hitbox::policy::PolicyConfig;
use hitbox_backend::PassthroughCompressor;
use hitbox_backend::format::BincodeFormat;
use hitbox_fn::{Cache, CacheableResponse, cached};
use hitbox_redis::{ConnectionMode, RedisBackend};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

type Backend = RedisBackend<BincodeFormat, PassthroughCompressor>;

fn main() {
    let run = Run::from_arguments();
    let (ttl, protected) = match run.variant() {
        "plain" => (600, false),
        "broadcast" => (600, true),
        // Cut to whole seconds of what is left at the write: 2 s are 1 s in Redis, and 1 s would be no ttl at all.
        "ttl-1s" => (2, true),
        "ttl-1h" => (3_600, true),
        _ => run.unknown(),
    };
    let backend = RedisBackend::builder()
        .connection(ConnectionMode::single(run.redis()))
        .build()
        .expect("the runner gives a URL");
    let policy = PolicyConfig::builder().ttl(Duration::from_secs(ttl));
    let builder = Cache::builder().backend(backend);
    if !protected {
        return run.measure(Plain(kept(builder.policy(policy.build()).build())));
    }
    let policy = policy
        .concurrency(1.try_into().expect("1 is in its bounds"))
        .build();
    let manager = Arc::new(BroadcastConcurrencyManager::new());
    let cache = builder.policy(policy).concurrency_manager(manager).build();
    run.measure(Broadcast(kept(cache)));
}

fn kept<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// What it caches must be a type of one's own.
#[derive(Clone, Debug, Serialize, Deserialize, CacheableResponse)]
struct Answer {
    product: Arc<Product>,
}

#[derive(Clone, Debug, Serialize, Deserialize, CacheableResponse)]
struct Owned {
    product: Product,
}

#[cached(prefix = "product")]
async fn product(id: u64) -> Owned {
    Owned {
        product: origin::owned(id).await,
    }
}

#[cached(prefix = "slow")]
async fn slow(id: u64) -> Answer {
    Answer {
        product: origin::slow(id).await,
    }
}

#[derive(Clone, Copy)]
struct Plain(&'static Cache<Backend, NoopConcurrencyManager>);

impl Candidate for Plain {
    async fn owned(self, id: u64) -> Product {
        product(id).cache(self.0).await.product
    }

    async fn slow(self, id: u64) -> Arc<Product> {
        slow(id).cache(self.0).await.product
    }
}

/// Its manager is of one type of answers, so this one answers only what is slow.
#[derive(Clone, Copy)]
struct Broadcast(&'static Cache<Backend, Arc<BroadcastConcurrencyManager<Answer>>>);

impl Candidate for Broadcast {
    async fn slow(self, id: u64) -> Arc<Product> {
        slow(id).cache(self.0).await.product
    }
}
