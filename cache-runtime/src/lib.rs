#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod bus;
mod cache;
mod door;
mod engine;
mod entry;
mod error;
mod flight;
#[cfg(all(any(test, fuzzing), feature = "redis"))]
#[doc(hidden)]
pub mod fuzzing;
mod key;
mod observe;
mod policy;
mod ports;
mod site;
mod tags;
#[cfg(feature = "test-util")]
pub mod testing;
pub mod tier;
mod tiers;

#[doc(hidden)]
pub mod __private;

pub use cache_macros::{cache_evict, cache_put, cacheable};

pub use crate::{
    cache::{
        BusHealth, Cache, CacheBuilder, EntryInfo, Finding, Health, RedisHandle, RedisHealth,
        Severity, StoredInfo, Unfinished,
        scope::{bypass, refresh, traced},
    },
    engine::{Evict, Known, Refresh, known},
    entry::CacheValue,
    error::{BuildError, CacheError, ErrorKind, InstallError, LoadTimeout},
    key::Key,
    observe::{Event, Histogram, MemoryStats, RedisStats, Served, SiteStats, Stats, Why},
    policy::{MemoryUse, Policy, StampedeProtection},
    tiers::{RedisReply, RedisScript, memory::Memory},
};

/// Builds a [`Key`] from a template, with the rules of the attributes' `key`.
///
/// ```
/// use cache_runtime::key;
///
/// let (id, locale) = (7, "de:AT");
/// assert_eq!(key!("product:{id}:{locale}").as_str(), "product:7:de%3AAT");
/// ```
#[macro_export]
macro_rules! key {
    ($template:literal) => {
        $crate::__private::key_macro!($crate, $template)
    };
}
