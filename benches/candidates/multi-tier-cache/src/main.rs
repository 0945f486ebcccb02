//! multi-tier-cache with its memory tier alone: the default one (moka) and the one it calls the fastest (quick_cache). It keeps encoded bytes.

use common::{Candidate, Product, Run, origin};
use multi_tier_cache::backends::{MokaCacheConfig, QuickCacheBackend};
use multi_tier_cache::{CacheManager, CacheStrategy, CacheTier, L1Cache, L2CacheBackend};
use std::sync::Arc;
use std::time::Duration;

fn main() {
    let run = Run::from_arguments();
    let room = run.capacity() as u64;
    let config = MokaCacheConfig {
        max_capacity: room,
        ..MokaCacheConfig::default()
    };
    let memory: Arc<dyn L2CacheBackend> = match run.variant() {
        "moka" => Arc::new(L1Cache::new(config).expect("nothing of it can be wrong")),
        "quick_cache" => {
            Arc::new(QuickCacheBackend::new(room).expect("nothing of it can be wrong"))
        }
        _ => run.unknown(),
    };
    let tier = CacheTier::new(memory, 1, false, 1, 1.0);
    let manager = CacheManager::new_with_tiers(vec![tier], None).expect("one tier is enough");
    run.measure(MultiTier(Box::leak(Box::new(manager))));
}

#[derive(Clone, Copy)]
struct MultiTier(&'static CacheManager);

const TTL: CacheStrategy = CacheStrategy::Custom(Duration::from_secs(600));

impl Candidate for MultiTier {
    async fn shared(self, id: u64) -> Arc<Product> {
        let load = move || async move { Ok(origin::shared(id).await) };
        let value = self
            .0
            .get_or_compute_typed(&format!("product:{id}"), TTL, load)
            .await;
        value.expect("the origin does not fail")
    }

    async fn slow(self, id: u64) -> Arc<Product> {
        let load = move || async move { Ok(origin::slow(id).await) };
        let value = self
            .0
            .get_or_compute_typed(&format!("slow:{id}"), TTL, load)
            .await;
        value.expect("the origin does not fail")
    }
}
