//! `/admin/cache`: what the cache does, as a page, and a way to evict by hand.

use axum::Router;
use cache_http::admin::{self, Guard};
use cache_runtime::Cache;
use uuid::Uuid;

use crate::config::Config;
use crate::shop::Shop;

/// Where it is.
const PATH: &str = "/admin/cache";

/// Behind the token of the configuration, or one that is made for this run and logged.
pub(super) fn routes(cache: &Cache, config: &Config) -> Router<Shop> {
    let token = config.admin_token.clone().unwrap_or_else(|| {
        let token = Uuid::new_v4().simple().to_string();
        tracing::info!("ADMIN_TOKEN is not set: for this run, {PATH}/ opens with any name and the password {token}");
        token
    });
    Router::new().nest_service(PATH, admin::router(cache, Guard::token(token)))
}
