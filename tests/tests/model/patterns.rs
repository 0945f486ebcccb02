//! An eviction by pattern in one process while another loads what it matches.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::testing::{Fate, Faults, ModelRedis, Network, Passage, Step};
use cache_runtime::{Cache, Evict, cacheable};
use tests::crowd::Crowd;
use tests::model::process;
use tests::origin::Origin;
use tokio::time::sleep;

/// No region of its key is known before its arguments are.
#[cacheable(key = "{kind}:list:{page}", ttl = "1h")]
async fn list(origin: Arc<Origin>, kind: String, page: u64) -> u64 {
    origin.run().await
}

fn call(cache: &Cache, origin: &Arc<Origin>) -> impl Future<Output = u64> + Send + 'static {
    let (cache, origin) = (cache.clone(), Arc::clone(origin));
    async move { cache.as_current(list(origin, "product".into(), 1)).await }
}

/// Its entry does not carry the region `product`, so the evicting process has to know of the template to look for it.
#[tokio::test(start_paused = true)]
async fn a_pattern_reaches_the_first_load_of_a_template_elsewhere() {
    let redis = ModelRedis::new();
    let (here, elsewhere) = (process(&redis), process(&redis));
    let origin = Origin::closed();
    let loading = Crowd::of(1, |_| call(&here, &origin)).await;
    origin.reached(1).await;
    // Who hears of it looks for himself. Here nobody does.
    redis.set_faults(Faults {
        outage: Duration::from_secs(3_600),
        ..Faults::default()
    });
    redis.sever();
    let evicted = elsewhere.evict(Evict::pattern("product:*")).await;
    evicted.expect("the model answers");
    origin.open_gate();
    assert_eq!(loading.answers().await, [1]);
    for cache in [&elsewhere, &here] {
        assert_eq!(call(cache, &origin).await, 2);
    }
}

/// Everything happens at once, but messages take a second.
#[derive(Debug)]
struct LateNews;

impl Network for LateNews {
    fn step(&self, _: usize, step: Step) -> Passage {
        let time = match step {
            Step::Patience(within) => within,
            Step::Batch => Duration::from_secs(1),
            _ => Duration::ZERO,
        };
        Box::pin(async move {
            sleep(time).await;
            Fate::Arrived
        })
    }
}

#[cacheable(key = "other:{id}")]
async fn other(id: u64) -> u64 {
    id
}

/// The registry that another process has made anew does not name the template, and its entries carry the generation from before.
#[tokio::test(start_paused = true)]
async fn who_evicts_notices_a_registry_that_was_lost_before_he_is_told() {
    let redis = ModelRedis::new();
    let (here, elsewhere) = (process(&redis), process(&redis));
    for cache in [&here, &elsewhere] {
        let ready = cache.ready(Duration::from_secs(1)).await;
        ready.expect("the model is up");
    }
    let origin = Origin::open();
    assert_eq!(call(&here, &origin).await, 1);
    redis.set_network(Arc::new(LateNews));
    redis.lose_registry();
    elsewhere.as_current(other(1)).await;
    let evicted = here.evict(Evict::pattern("product:*")).await;
    evicted.expect("the model answers");
    assert_eq!(call(&here, &origin).await, 2);
}
