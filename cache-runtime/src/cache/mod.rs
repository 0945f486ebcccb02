//! The handle users hold, how it is built, and which one is the current one.

mod background;
pub(crate) mod bound;
mod builder;
mod care;
mod current;
mod env;
mod handle;
mod health;
mod hooks;
mod inspect;
pub(crate) mod scope;
mod sites;
mod sweeper;

pub(crate) use background::Background;
pub(crate) use bound::{Bound, BoundRef, FirstBound};
pub use builder::CacheBuilder;
pub use care::Unfinished;
pub use current::CacheRef;
pub(crate) use current::{cache_ref, current};
pub use handle::Cache;
pub use health::{BusHealth, Health, RedisHealth};
pub use inspect::{EntryInfo, StoredInfo};
pub(crate) use sites::Sites;
