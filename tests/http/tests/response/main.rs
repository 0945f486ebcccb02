//! The response cache over real sockets, real caches and a real Redis; one module per theme.

mod bodies;
mod conditional;
mod directives;
mod evictions;
mod fleet;
mod keys;
mod plain;
mod private;
mod service;
mod stale;
mod stampede;
