//! The service as its users meet it: processes of the compiled program, over real databases and a real Redis.

mod account;
mod fleet;
mod http;
mod kit;
mod life;
#[cfg(feature = "otel")]
mod otel;
mod shop;
