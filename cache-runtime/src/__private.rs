//! The only door for generated code. Not part of the public API: its content may change in any release.

pub use std::{boxed::Box, future::Future, pin::Pin, time::Duration};

pub use cache_macros::key_macro;

pub use crate::{
    cache::CacheRef,
    door::{
        Argument, Call, EvictGuard, EvictPlan, Found, FromTimeout, Miss, OnTimeout, Opaque,
        OptionalReference, Outlives, Plain, Probe, PutGuard, PutPlan, Ready, Reference, Res,
        TagBuf, Times, lend, lend_option, via,
    },
    entry::{Counted, Keep, Whole},
    key::{Holes, KeyBuf},
    policy::{Policy, StampedeProtection},
    site::{EvictSite, Hooks, Share, Site, instance},
};

use crate::{Cache, Key};

/// The cache of this task, or the process's.
#[must_use]
#[inline]
pub fn current() -> CacheRef<'static> {
    crate::cache::current()
}

/// The cache of a `cache = …` option.
#[must_use]
#[inline]
pub fn cache_ref(cache: &Cache) -> CacheRef<'_> {
    crate::cache::cache_ref(cache)
}

/// A key of a template, for `key!`.
pub fn key(template: &'static str, render: impl FnOnce(&mut KeyBuf)) -> Key {
    crate::door::key(template, render)
}
