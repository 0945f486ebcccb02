//! Responses that are the same for everybody, kept whole.
//!
//! The functions behind are cached already; what this adds is the response itself, with its JSON made and its `ETag`: a hit runs no handler, and a
//! client that has it is told so with 304. Both know the same labels, which handlers name in `Cache-Tag`, so one eviction reaches both, and a
//! response that was begun before an eviction is not kept after it.

use std::time::Duration;

use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderName, HeaderValue};
use cache_http::response::ResponseCache;
use cache_runtime::Cache;
use tower_http::set_header::SetResponseHeaderLayer;

/// Names the labels of a response; the cache keeps the field to itself.
pub(crate) const CACHE_TAG: HeaderName = HeaderName::from_static("cache-tag");

/// What browsers and caches in front may do with a product or a list: keep it, and ask each time whether it is still good, which is a 304 where nothing has changed. A change evicts
/// what is kept here, and reaches nothing that is kept elsewhere.
///
/// It goes around this cache, and handlers do not say it: `no-cache` is for every cache it meets, and this one would store nothing.
pub(super) fn ask_again() -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, HeaderValue::from_static("no-cache"))
}

/// Around the routes that depend on nothing but their address.
///
/// * `ttl`: short, because it adds to the age that the function's value has already. Changes do not wait for it, they evict.
/// * `ignore_cookies`: nothing here looks at the session, though browsers send its cookie everywhere.
/// * `host`: the same shop under every name.
/// * `stale_if_error`: the functions have an old value when the database is gone, and for what they do not have there may be an old response.
pub(super) fn layer(cache: &Cache) -> ResponseCache {
    ResponseCache::new(cache)
        .ttl(Duration::from_secs(10))
        .stale_while_revalidate(Duration::from_secs(10))
        .stale_if_error(Duration::from_secs(600))
        .ignore_cookies(true)
        .host(false)
}
