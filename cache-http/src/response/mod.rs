//! A cache of responses, as a tower layer (RFC 9111).
//!
//! **Problem.** A response costs a call of the handler, and most of them were sent to somebody else a moment ago. But whether a response may be sent to anybody else is known only from what it says, after the
//! handler has run; and when something changes, it is said of products and lists, not of URLs.
//!
//! **Decision.** Responses are values of the cache like those of functions: one load for all who wait, in the whole fleet, under a lease that every eviction breaks; in memory behind one reference count, in Redis as JSON; refreshed
//! in the background, served stale where that is allowed, evicted by tag, path, pattern or all at once. What a load hands to others is only ever a response that may be stored for all of them: any other is left with the request in whose name
//! the handler ran, and the others call it themselves.
//!
//! ```
//! use std::time::Duration;
//!
//! use axum::{Json, Router, body::Body, extract::Path, http::Request, response::IntoResponse, routing::get};
//! use cache_http::response::ResponseCache;
//! use cache_runtime::{Cache, Evict};
//! use tower::ServiceExt;
//!
//! async fn product(Path(id): Path<u64>) -> impl IntoResponse {
//!     let fields = [("cache-control", "public, max-age=60".to_owned()), ("cache-tag", format!("product:{id}"))];
//!     (fields, Json(id))
//! }
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let cache = Cache::builder("shop").build()?;
//! let responses = ResponseCache::new(&cache).stale_if_error(Duration::from_secs(3600));
//! let app = Router::new().route("/products/{id}", get(product)).layer(responses);
//!
//! let status = async || {
//!     let request = Request::get("/products/7").header("host", "shop.example").body(Body::empty())?;
//!     let response = app.clone().oneshot(request).await?;
//!     Ok::<_, Box<dyn std::error::Error>>(response.headers()["cache-status"].to_str()?.to_owned())
//! };
//! assert!(status().await?.starts_with("shop; fwd=uri-miss"));
//! assert!(status().await?.starts_with("shop; hit; ttl="));
//! cache.evict(Evict::tag("product:7")).await?;
//! assert!(status().await?.starts_with("shop; fwd=uri-miss"));
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
//!
//! It is around any service of `http` requests whose body type is `Default`, because a load that goes on without its request needs an empty one: axum's, `Full`, `Empty`. A service over `hyper::body::Incoming` has its bodies mapped in front.
//!
//! What it does with which request, what it stores, and what it does not promise: the README of the crate.

mod answer;
mod ask;
mod asked;
mod body;
mod conditional;
mod directives;
#[cfg(test)]
mod fields;
mod freshness;
mod head;
mod invalidate;
mod key;
mod layer;
mod passes;
mod report;
mod service;
mod storable;
mod stored;

pub use body::{Body, BoxError};
pub use key::Query;
pub use layer::ResponseCache;
pub use service::{Answering, Cached};
