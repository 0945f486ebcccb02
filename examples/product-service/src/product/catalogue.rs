//! The use cases of products, each with the caching it calls for.
//!
//! ```text
//! entry                        evicted by
//! product:{id}                 its update and its deletion; written by its creation
//! products:list:{search}       whatever changes a product of its category, by the label `shelf:{category}`;
//!                              lists of all categories have the label `shelf:ALL`
//! ```
//!
//! The labels are also those of the cached responses (`http::responses`), so one eviction reaches the function and the response.

use std::sync::Arc;

use cache_runtime::{cache_evict, cache_put, cacheable};
use uuid::Uuid;

use super::{Change, Changed, Draft, Page, Product, Products, Search};
use crate::error::Error;

/// Products, cached.
#[derive(Clone, Debug)]
pub struct Catalogue {
    products: Products,
}

impl Catalogue {
    /// Over this table.
    pub fn new(products: Products) -> Catalogue {
        Catalogue { products }
    }

    /// One product: read by everybody, changed now and then.
    ///
    /// * `ttl`: long, because whatever changes a product evicts it; it bounds the harm of a change made past this service.
    /// * `stampede_protection`: a product on the front page is asked for by all instances in the moment it is evicted; one of them asks the database.
    /// * `background_refresh`: nobody waits for a product that is in use and only grew old.
    /// * `negative_ttl`: a link to a product that is gone is followed as often as the others, and should not reach the database each time. Creation
    ///   writes through, so a product is never missing because somebody asked too early.
    /// * `stale_if_error`: an old price for an hour is better than an error page for as long as the database restarts.
    ///
    /// # Errors
    /// If the database does not answer, and there is no product in stock; so for all of them.
    #[cacheable(
        key = "product:{id}",
        ttl = "10m",
        negative_ttl = "30s",
        stampede_protection,
        background_refresh,
        stale_if_error = "1h"
    )]
    pub async fn product(&self, id: Uuid) -> Result<Option<Arc<Product>>, Error> {
        Ok(self.products.find(id).await?.map(Arc::new))
    }

    /// A page of a list: the dearest query, asked for in a thousand ways.
    ///
    /// * `key`: all of the search in its canonical form, so that the order of the parameters and a spelt-out default make no second entry.
    /// * `tags`: a change evicts the lists in which the product can stand, and no others, however many pages and orders of them there are.
    /// * `ttl`: short, since most searches are made once and would only push products out of memory.
    /// * `stale_while_revalidate`: the front page is always answered at once. What a change evicts is gone, so this serves lists that grew old, not lists that were changed.
    #[cacheable(
        key = "products:list:{search}",
        tags = ["shelf:{search.shelf()}"],
        ttl = "30s",
        stampede_protection,
        stale_while_revalidate = "30s",
        stale_if_error = "10m"
    )]
    pub async fn list(&self, search: &Search) -> Result<Arc<Page>, Error> {
        Ok(Arc::new(self.products.search(search).await?))
    }

    /// Puts a product on the shelf, under an id that the caller has made.
    ///
    /// * `cache_put`: whoever created it is sent to it right away, and finds it in the cache. That takes an id known before the insert: the put holds the
    ///   lease of the key from before the body to the store, so that nothing loaded before can overwrite it.
    /// * `cache_evict`: it appears in the lists of its category, and of all categories.
    #[cache_evict(tags = ["shelf:{draft.category}", "shelf:ALL"])]
    #[cache_put(key = "product:{id}", ttl = "10m", stale_if_error = "1h")]
    pub async fn create(&self, id: Uuid, draft: &Draft) -> Result<Arc<Product>, Error> {
        Ok(Arc::new(self.products.insert(id, draft).await?))
    }

    /// Changes a product, if it still has the version the change was made from.
    ///
    /// * `key` and `tags` are evicted after the update is committed; loads that have read the row before it are not stored.
    /// * `{result.from}`: a product that moves to another shelf leaves the lists of the old one too, and only the update knows which that was. If
    ///   the future is dropped in the middle, nobody knows, and everything is evicted; so the route does not let its client drop it.
    /// * An `Err` (not found, conflict) has changed nothing, and evicts nothing.
    #[cache_evict(
        key = "product:{id}",
        tags = ["product:{id}", "shelf:{change.category}", "shelf:{result.from}", "shelf:ALL"]
    )]
    pub async fn update(&self, id: Uuid, change: &Change) -> Result<Changed, Error> {
        self.products.update(id, change).await
    }

    /// Takes a product off the shelf. The next who asks for it loads that there is none, and that is remembered (`negative_ttl`).
    #[cache_evict(key = "product:{id}", tags = ["product:{id}", "shelf:{result.category}", "shelf:ALL"])]
    pub async fn delete(&self, id: Uuid) -> Result<Product, Error> {
        self.products.delete(id).await
    }
}
