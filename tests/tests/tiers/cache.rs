//! Caches on a tier of one's own: two are two processes of a fleet, and one that goes to another server evicts again.

use std::sync::Arc;

use cache_runtime::{Cache, Evict, Policy, Served, cacheable, key, traced};
use tests::{eventually, origin::Origin};

use crate::slow::Slow;

#[cacheable(key = "row:{row}", stampede_protection, tags = ["rows"])]
async fn read(origin: &Origin, row: u32) -> u64 {
    let _ = row;
    origin.run().await
}

/// One process.
fn cache(tier: &Arc<Slow>) -> Cache {
    Cache::builder("shop")
        .defaults(Policy::new().jitter(0.0))
        .tier(Arc::clone(tier) as Arc<_>)
        .build()
        .expect("the settings make sense")
}

#[tokio::test]
async fn a_value_is_loaded_once_and_evicted_everywhere() {
    let (row, store) = (7, crate::store());
    let tiers = [(); 2].map(|()| Arc::new(Slow::over(store("shop"))));
    let [here, there] = [cache(&tiers[0]), cache(&tiers[1])];
    let origin = Origin::open();
    let call = async |cache: &Cache| cache.as_current(traced(read(&origin, row))).await;

    assert_eq!(call(&here).await, (1, Some(Served::Loaded)));
    assert_eq!(call(&there).await, (1, Some(Served::Redis)));
    assert!(tiers.iter().all(|tier| tier.calls() > 0));
    for cache in [&here, &there] {
        let from_memory = async || call(cache).await == (1, Some(Served::Memory));
        eventually::holds("it is served from memory", from_memory).await;
    }
    for (at, eviction) in [
        Evict::key(key!("row:{row}")),
        Evict::tag("rows"),
        Evict::pattern("row:*"),
        Evict::all(),
    ]
    .into_iter()
    .enumerate()
    {
        let newer = at as u64 + 2;
        here.evict(eviction).await.expect("the model is well");
        assert_eq!(call(&here).await.0, newer, "this process knows at once");
        let heard = async || call(&there).await.0 == newer;
        eventually::holds("the other has heard of it", heard).await;
    }
}

/// The journal was empty when the read was sent, and the server that answers it has never heard of the eviction.
#[tokio::test]
async fn a_read_that_another_server_answers_does_not_bring_back_what_was_evicted() {
    let (row, store) = (7, crate::store());
    let tier = Arc::new(Slow::over(store("shop")));
    let cache = Cache::builder("shop")
        .no_memory()
        .tier(Arc::clone(&tier) as Arc<_>)
        .build()
        .expect("the settings make sense");
    let origin = Origin::open();
    let call = async || cache.as_current(traced(read(&origin, row))).await;
    assert_eq!(call().await, (1, Some(Served::Loaded)));
    assert_eq!(call().await, (1, Some(Served::Redis)));

    tier.fail_over();
    let evicted = cache.evict(Evict::key(key!("row:{row}"))).await;
    evicted.expect("it was confirmed");
    assert_eq!(call().await.0, 2, "not what was there before the eviction");
    let replayed = async || cache.health().queued_evictions == 0;
    eventually::holds("it is evicted again", replayed).await;
    assert!(call().await.0 >= 2);
}
