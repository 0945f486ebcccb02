//! What the handlers share.

use cache_http::session::SessionStore;
use cache_runtime::Cache;
use tokio_util::task::TaskTracker;

use crate::account::Accounts;
use crate::db::Db;
use crate::product::{Catalogue, Products};
use crate::wishlist::Wishlists;

/// The use cases and what they stand on; cloned for every request.
#[derive(Clone, Debug)]
pub struct Shop {
    /// Products.
    pub catalogue: Catalogue,
    /// What users wish for.
    pub wishlists: Wishlists,
    /// Who users are.
    pub accounts: Accounts,
    /// Where they are logged in.
    pub sessions: SessionStore,
    /// Where all of it is kept.
    pub db: Db,
    /// Where it is remembered.
    pub cache: Cache,
    /// Changes that run to their end though their client leaves.
    pub changes: TaskTracker,
}

impl Shop {
    /// Over this database and this cache.
    pub fn new(db: Db, cache: Cache) -> Shop {
        Shop {
            catalogue: Catalogue::new(Products::new(db.clone())),
            wishlists: Wishlists::new(db.clone()),
            accounts: Accounts::new(db.clone()),
            sessions: SessionStore::new(&cache),
            db,
            cache,
            changes: TaskTracker::new(),
        }
    }
}
