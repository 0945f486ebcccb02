//! The handle users hold, how it is built, and which one is the current one.

mod background;
pub(crate) mod bound;
mod builder;
mod care;
mod commands;
mod current;
mod env;
mod findings;
mod glance;
mod handle;
mod health;
mod hooks;
mod inspect;
#[cfg(feature = "metrics")]
mod publish;
mod report;
pub(crate) mod scope;
mod sites;
mod sweeper;

pub(crate) use background::Background;
pub(crate) use bound::{Bound, BoundRef, FirstBound};
pub use builder::CacheBuilder;
pub use care::Unfinished;
pub use commands::RedisHandle;
pub use current::CacheRef;
pub(crate) use current::{cache_ref, current};
pub use findings::{Finding, Severity};
pub use handle::Cache;
pub use health::{BusHealth, Health, RedisHealth};
pub use inspect::{EntryInfo, StoredInfo};
pub(crate) use sites::Sites;
