//! hitbox's macro over its moka backend, in the encoding its documentation recommends (bincode; the default, JSON, is slower), without and with the protection against stampedes.

use common::{Candidate, Product, Run, origin};
use hitbox::concurrency::{BroadcastConcurrencyManager, NoopConcurrencyManager};
use hitbox::policy::PolicyConfig;
use hitbox_backend::PassthroughCompressor;
use hitbox_backend::format::BincodeFormat;
use hitbox_fn::{Cache, CacheableResponse, cached};
use hitbox_moka::MokaBackend;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

type Backend = MokaBackend<BincodeFormat, PassthroughCompressor>;

fn main() {
    let run = Run::from_arguments();
    let backend = MokaBackend::builder()
        .max_entries(run.capacity() as u64)
        .value_format(BincodeFormat)
        .build();
    let policy = PolicyConfig::builder().ttl(Duration::from_secs(600));
    let builder = Cache::builder().backend(backend);
    match run.variant() {
        "plain" => run.measure(Plain(kept(builder.policy(policy.build()).build()))),
        "broadcast" => {
            let policy = policy
                .concurrency(1.try_into().expect("1 is in its bounds"))
                .build();
            let manager = Arc::new(BroadcastConcurrencyManager::new());
            run.measure(Broadcast(kept(
                builder.policy(policy).concurrency_manager(manager).build(),
            )));
        }
        _ => run.unknown(),
    }
}

fn kept<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// What it caches must be a type of one's own.
#[derive(Clone, Debug, Serialize, Deserialize, CacheableResponse)]
struct Answer {
    product: Arc<Product>,
}

#[cached(prefix = "product")]
async fn product(id: u64) -> Answer {
    Answer {
        product: origin::shared(id).await,
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
    async fn shared(self, id: u64) -> Arc<Product> {
        product(id).cache(self.0).await.product
    }

    async fn slow(self, id: u64) -> Arc<Product> {
        slow(id).cache(self.0).await.product
    }
}

#[derive(Clone, Copy)]
struct Broadcast(&'static Cache<Backend, Arc<BroadcastConcurrencyManager<Answer>>>);

impl Candidate for Broadcast {
    async fn shared(self, id: u64) -> Arc<Product> {
        product(id).cache(self.0).await.product
    }

    async fn slow(self, id: u64) -> Arc<Product> {
        slow(id).cache(self.0).await.product
    }
}
