//! amalgam's `get_or_set` over Redis: with memory in front, the lock over all processes and the backplane, as its example has it; and without these, so that a hit is one round trip. JSON.

use amalgam::provider::{
    JsonSerializer, RedisBackplane, RedisDistributedCache, RedisDistributedLocker,
};
use amalgam::{Cache, EntryOptions};
use common::{Candidate, Product, Run, Selection, origin};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

const SHELVES: u64 = Selection::SHELVES;

fn main() {
    let run = Run::from_arguments();
    let memory = match run.variant() {
        "redis" => false,
        "both" => true,
        _ => run.unknown(),
    };
    run.measure_made(async {
        let capacity = run.capacity() as u64;
        Amalgam {
            owned: made(run.redis(), capacity, memory, "owned").await,
            shared: made(run.redis(), capacity, memory, "shared").await,
        }
    });
}

/// A cache of one type of values.
async fn made<V>(url: &str, capacity: u64, memory: bool, name: &str) -> &'static Cache<V>
where
    V: serde::Serialize + serde::de::DeserializeOwned + Clone + Send + Sync + 'static,
{
    let there = "the server listens";
    let distributed = RedisDistributedCache::connect(url).await.expect(there);
    let options = EntryOptions::new(Duration::from_secs(600)).with_skip_memory(!memory, !memory);
    let mut cache = Cache::builder()
        .name(name)
        .max_capacity(capacity)
        .distributed(Arc::new(distributed))
        .serializer(Arc::new(JsonSerializer))
        .default_options(options);
    if memory {
        let backplane = RedisBackplane::connect(url).await.expect(there);
        let locker = RedisDistributedLocker::connect(url).await.expect(there);
        cache = cache
            .backplane(Arc::new(backplane))
            .distributed_locker(Arc::new(locker));
    }
    let cache = cache.try_build().expect("nothing of it can be wrong");
    Box::leak(Box::new(cache))
}

#[derive(Clone, Copy)]
struct Amalgam {
    owned: &'static Cache<Product>,
    shared: &'static Cache<Arc<Product>>,
}

impl Candidate for Amalgam {
    async fn owned(self, id: u64) -> Product {
        let load = move |_| async move { Ok::<_, Infallible>(origin::owned(id).await) };
        self.owned
            .get_or_set(format!("product:{id}"), load)
            .await
            .expect("the origin does not fail")
    }

    async fn slow(self, id: u64) -> Arc<Product> {
        let load = move |_| async move { Ok::<_, Infallible>(origin::slow(id).await) };
        self.shared
            .get_or_set(format!("slow:{id}"), load)
            .await
            .expect("the origin does not fail")
    }

    async fn filed(self, id: u64) -> Product {
        let load = move |_| async move { Ok::<_, Infallible>(origin::owned(id).await) };
        self.owned
            .get_or_set(filed(id), load)
            .tags([format!("shelf:{}", id % SHELVES)])
            .await
            .expect("the origin does not fail")
    }

    async fn evict(self, selection: Selection, id: u64) {
        match selection {
            Selection::Key => {
                self.owned.remove(filed(id)).await.expect("it answers");
            }
            Selection::Tag => {
                let tag = format!("shelf:{}", id % SHELVES);
                self.owned.remove_by_tag(tag).await.expect("it answers");
            }
            Selection::Region | Selection::Pattern => selection.unsupported().await,
        }
    }
}

fn filed(id: u64) -> String {
    format!("shelf:{}:item:{id}:card", id % SHELVES)
}
