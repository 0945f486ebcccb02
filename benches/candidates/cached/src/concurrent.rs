//! `#[concurrent_cached]`: a sharded store. It has no single flight.

use cached::macros::concurrent_cached;
use common::{Blob, Candidate, Product, keys, origin};
use std::sync::Arc;

#[concurrent_cached]
async fn product(id: u64) -> Arc<Product> {
    origin::shared(id).await
}

#[concurrent_cached]
async fn owned_product(id: u64) -> Product {
    origin::owned(id).await
}

#[concurrent_cached(key = "(String, u32, bool)", convert = { (category.to_owned(), page, ascending) })]
async fn listed(category: &str, page: u32, ascending: bool) -> Arc<Product> {
    origin::shared(keys::number_of_three(category, page, ascending)).await
}

#[concurrent_cached(key = "String", convert = { slug.to_owned() })]
async fn guide(slug: &str) -> Arc<Product> {
    origin::shared(keys::number_of_text(slug)).await
}

#[concurrent_cached]
async fn blob(id: u64) -> Blob {
    origin::blob(id).await
}

#[concurrent_cached]
async fn shared_blob(id: u64) -> Arc<Blob> {
    Arc::new(origin::blob(id).await)
}

#[concurrent_cached]
async fn slow(id: u64) -> Arc<Product> {
    origin::slow(id).await
}

#[concurrent_cached(ttl_secs = 600)]
async fn product_with_ttl(id: u64) -> Arc<Product> {
    origin::shared(id).await
}

/// Room for all keys of the measures that they take part in.
#[concurrent_cached(max_size = 300_000)]
async fn bounded_product(id: u64) -> Arc<Product> {
    origin::shared(id).await
}

#[concurrent_cached(max_size = 300_000, ttl_secs = 600)]
async fn bounded_product_with_ttl(id: u64) -> Arc<Product> {
    origin::shared(id).await
}

#[derive(Clone, Copy)]
pub(crate) struct Forever;

impl Candidate for Forever {
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
pub(crate) struct Ttl;

impl Candidate for Ttl {
    fn shared(self, id: u64) -> impl Future<Output = Arc<Product>> + Send {
        product_with_ttl(id)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Bounded;

impl Candidate for Bounded {
    fn shared(self, id: u64) -> impl Future<Output = Arc<Product>> + Send {
        bounded_product(id)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct BoundedTtl;

impl Candidate for BoundedTtl {
    fn shared(self, id: u64) -> impl Future<Output = Arc<Product>> + Send {
        bounded_product_with_ttl(id)
    }
}
