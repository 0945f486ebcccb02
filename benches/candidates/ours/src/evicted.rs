//! Entries that can be evicted by their key, their tag, their region and a pattern.
//!
//! The pattern has `*` in its middle, so no label stands for it: its keys have to be looked for.

use cache_runtime::{cache_evict, cacheable};
use common::{Candidate, Product, Selection, origin};

const SHELVES: u64 = Selection::SHELVES;

#[cacheable(
    key = "shelf:{id % SHELVES}:item:{id}:card",
    tags = "shelf:{id % SHELVES}",
    ttl = "10m",
    stampede_protection
)]
async fn filed(id: u64) -> Product {
    origin::owned(id).await
}

#[cache_evict(key = "shelf:{id % SHELVES}:item:{id}:card")]
async fn evict_key(id: u64) {}

#[cache_evict(tags = "shelf:{id % SHELVES}")]
async fn evict_tag(id: u64) {}

/// The word in front of the first value; what is below a value is looked for, as by a pattern.
#[cache_evict(region = "shelf")]
async fn evict_region() {}

#[cache_evict(pattern = "shelf:{id % SHELVES}:item:*:card")]
async fn evict_pattern(id: u64) {}

#[derive(Clone, Copy)]
pub(crate) struct Evicted;

impl Candidate for Evicted {
    fn filed(self, id: u64) -> impl Future<Output = Product> + Send {
        filed(id)
    }

    async fn evict(self, selection: Selection, id: u64) {
        match selection {
            Selection::Key => evict_key(id).await,
            Selection::Tag => evict_tag(id).await,
            Selection::Region => evict_region().await,
            Selection::Pattern => evict_pattern(id).await,
        }
    }
}
