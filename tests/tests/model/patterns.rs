//! An eviction by pattern in one process while another loads what it matches.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::testing::{Faults, ModelRedis};
use cache_runtime::{Cache, Evict, cacheable};
use tests::crowd::Crowd;
use tests::model::process;
use tests::origin::Origin;

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
