//! Holds: what is loaded of it meanwhile is not stored, in any process, and of nothing else.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::testing::ModelRedis;
use cache_runtime::{Evict, Key, cacheable};
use tests::model::process;
use tests::origin::Origin;
use tokio::time::sleep;

const HOUR: Duration = Duration::from_secs(3_600);
const SECOND: Duration = Duration::from_secs(1);

#[cacheable(key = "tagged:{id}", tags = ["x"], ttl = "2h")]
async fn tagged(origin: &Arc<Origin>, id: u64) -> u64 {
    let _ = id;
    origin.run().await
}

#[tokio::test(start_paused = true)]
async fn the_hold_of_one_is_elsewhere_no_hold_of_what_was_evicted_with_it() {
    let redis = ModelRedis::new();
    let (here, elsewhere) = (process(&redis), process(&redis));
    for cache in [&here, &elsewhere] {
        cache.ready(SECOND).await.unwrap();
    }
    let held = Evict::key(Key::new("a")).hold(HOUR);
    here.evict(held.and(Evict::tag("x"))).await.unwrap();
    sleep(SECOND).await;
    let origin = Origin::open();
    for cache in [&elsewhere, &here, &elsewhere] {
        assert_eq!(cache.as_current(tagged(&origin, 1)).await, 1);
    }
}
