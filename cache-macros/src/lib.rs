//! The attributes of `cache-runtime`: `#[cacheable]`, `#[cache_evict]`, `#[cache_put]`, and the macro behind `key!`.
//!
//! Depend on `cache-runtime`, which re-exports them; this crate has no use on its own.
//!
//! An attribute decides nothing at run time and the runtime knows no syntax. Each attribute is the same pipeline:
//!
//! ```text
//! source/   read the function and the list of options      "can I read it?"
//! options   check the list against one table               "is each option allowed, once, with this value?"
//! validate  check the options against the function         "do they fit together?"
//! model     what to generate, as data                      nothing can fail from here on
//! expand    put the fragments together                     one per capability
//! ```
//!
//! Errors accumulate over the whole pipeline; if there are any, they are emitted beside the untouched function.
//! With `CACHE_MACROS_DEBUG=1` in the compiler's environment every expansion is printed to standard error.
//!
//! The documentation of an attribute is its table of options, then a page for each of them. The pages are `docs/options` of the repository, which
//! `src/docs/options` links to; a published crate contains them. Their examples need `cache-runtime`, so they are compiled where that is
//! at hand, in the crate `tests`, and not here.

mod cacheable;
mod debug;
mod diagnostics;
mod evict;
mod fragments;
mod key;
mod names;
mod options;
mod paths;
mod put;
mod source;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

#[doc = include_str!("docs/cacheable.md")]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/key.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/skip.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/secret.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/scope.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/tags.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/tags_from.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/ttl.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/ttl_from.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/jitter.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/negative_ttl.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/stampede_protection.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/wait_timeout.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/background_refresh.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/early_refresh.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/stale_while_revalidate.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/stale_if_error.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/retry_after.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/soft_timeout.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/hard_timeout.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/on_timeout.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/refresh_every.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/idle.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/consistency_check.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/condition.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/unless.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/version.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/share_errors.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/l1.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/l2.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/on_hit.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/on_miss.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/cache.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/crate.md"))]
#[proc_macro_attribute]
pub fn cacheable(options: TokenStream, item: TokenStream) -> TokenStream {
    debug::shown(
        "cacheable",
        cacheable::attribute(options.into(), &item.into()),
    )
    .into()
}

#[doc = include_str!("docs/cache_evict.md")]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/key.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/keys.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/pattern.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/tags.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/region.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/scope.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/all.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/expire.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/secret.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/before.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/always.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/hold.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/condition.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/cache.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/crate.md"))]
#[proc_macro_attribute]
pub fn cache_evict(options: TokenStream, item: TokenStream) -> TokenStream {
    debug::shown(
        "cache_evict",
        evict::attribute(options.into(), &item.into()),
    )
    .into()
}

#[doc = include_str!("docs/cache_put.md")]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/key.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/secret.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/scope.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/tags.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/tags_from.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/ttl.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/ttl_from.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/jitter.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/negative_ttl.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/stale_while_revalidate.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/stale_if_error.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/condition.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/unless.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/version.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/l1.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/l2.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/cache.md"))]
#[cfg_attr(not(doctest), doc = include_str!("docs/options/crate.md"))]
#[proc_macro_attribute]
pub fn cache_put(options: TokenStream, item: TokenStream) -> TokenStream {
    debug::shown("cache_put", put::attribute(options.into(), &item.into())).into()
}

/// The inside of `cache_runtime::key!`, which passes the path of its own crate along.
#[doc(hidden)]
#[proc_macro]
pub fn key_macro(input: TokenStream) -> TokenStream {
    debug::shown("key", key::expand(input.into())).into()
}
