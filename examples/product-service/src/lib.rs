//! A shop: what a service looks like that caches with annotations. Begin with `product/catalogue.rs`, the use cases;
//! `README.md` says how to run it.

pub mod account;
pub mod config;
pub mod db;
pub mod error;
pub mod http;
#[cfg(feature = "otel")]
pub mod otel;
pub mod product;
pub mod server;
pub mod shop;
pub mod telemetry;
pub mod wishlist;
