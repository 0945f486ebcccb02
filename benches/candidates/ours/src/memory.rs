//! In memory only, with none, one and three tags.

use cache_runtime::{Cache, Memory, cacheable};
use common::{Blob, Candidate, Product, keys, origin};
use std::sync::Arc;

/// The default cache of the process, with room for what the run keeps.
pub(crate) fn install(capacity: usize) {
    let cache = Cache::builder("bench")
        .memory(Memory::new().max_entries(capacity))
        // A megabyte of bytes is four of JSON, which is what the bound is about.
        .max_value_bytes(16 << 20)
        .build()
        .expect("nothing of it can be wrong");
    cache.install().expect("nobody installed one before");
}

#[cacheable(key = "product:{id}", ttl = "10m", stampede_protection)]
async fn product(id: u64) -> Arc<Product> {
    origin::shared(id).await
}

#[cacheable(key = "owned:{id}", ttl = "10m", stampede_protection)]
async fn owned_product(id: u64) -> Product {
    origin::owned(id).await
}

#[cacheable(
    key = "list:{category}:{page}:{ascending}",
    ttl = "10m",
    stampede_protection
)]
async fn listed(category: &str, page: u32, ascending: bool) -> Arc<Product> {
    origin::shared(keys::number_of_three(category, page, ascending)).await
}

#[cacheable(key = "guide:{slug}", ttl = "10m", stampede_protection)]
async fn guide(slug: &str) -> Arc<Product> {
    origin::shared(keys::number_of_text(slug)).await
}

#[cacheable(key = "blob:{id}", ttl = "10m", stampede_protection)]
async fn blob(id: u64) -> Blob {
    origin::blob(id).await
}

#[cacheable(key = "shared_blob:{id}", ttl = "10m", stampede_protection)]
async fn shared_blob(id: u64) -> Arc<Blob> {
    Arc::new(origin::blob(id).await)
}

#[cacheable(key = "slow:{id}", ttl = "10m", stampede_protection)]
async fn slow(id: u64) -> Arc<Product> {
    origin::slow(id).await
}

#[cacheable(
    key = "product:{id}",
    tags = "stock:{id}",
    ttl = "10m",
    stampede_protection
)]
async fn tagged_once(id: u64) -> Arc<Product> {
    origin::shared(id).await
}

#[cacheable(
    key = "product:{id}",
    tags = ["stock:{id}", "price:{id}", "products"],
    ttl = "10m",
    stampede_protection
)]
async fn tagged_thrice(id: u64) -> Arc<Product> {
    origin::shared(id).await
}

/// What a function gives is not known to follow from the key.
fn shelf_of(id: u64) -> u64 {
    id % 100
}

/// Its key does not tell its tag, so the tag is rendered for the look into memory as well.
#[cacheable(
    key = "product:{id}",
    tags = "shelf:{shelf_of(id)}",
    ttl = "10m",
    stampede_protection
)]
async fn shelved(id: u64) -> Arc<Product> {
    origin::shared(id).await
}

#[derive(Clone, Copy)]
pub(crate) struct Plain;

impl Candidate for Plain {
    /// The text of the key.
    fn key_bytes(self, id: u64) -> usize {
        format!("product:{id}").len()
    }

    fn shared(self, id: u64) -> impl Future<Output = Arc<Product>> + Send {
        product(id)
    }

    fn owned(self, id: u64) -> impl Future<Output = Product> + Send {
        owned_product(id)
    }

    fn three(
        self,
        category: &'static str,
        page: u32,
        ascending: bool,
    ) -> impl Future<Output = Arc<Product>> + Send {
        listed(category, page, ascending)
    }

    fn text(self, slug: &'static str) -> impl Future<Output = Arc<Product>> + Send {
        guide(slug)
    }

    fn blob(self, id: u64) -> impl Future<Output = Blob> + Send {
        blob(id)
    }

    fn shared_blob(self, id: u64) -> impl Future<Output = Arc<Blob>> + Send {
        shared_blob(id)
    }

    fn slow(self, id: u64) -> impl Future<Output = Arc<Product>> + Send {
        slow(id)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct OneTag;

impl Candidate for OneTag {
    fn key_bytes(self, id: u64) -> usize {
        Plain.key_bytes(id)
    }

    fn shared(self, id: u64) -> impl Future<Output = Arc<Product>> + Send {
        tagged_once(id)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct RenderedTag;

impl Candidate for RenderedTag {
    fn key_bytes(self, id: u64) -> usize {
        Plain.key_bytes(id)
    }

    fn shared(self, id: u64) -> impl Future<Output = Arc<Product>> + Send {
        shelved(id)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct ThreeTags;

impl Candidate for ThreeTags {
    fn key_bytes(self, id: u64) -> usize {
        Plain.key_bytes(id)
    }

    fn shared(self, id: u64) -> impl Future<Output = Arc<Product>> + Send {
        tagged_thrice(id)
    }
}
