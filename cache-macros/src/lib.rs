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
#[proc_macro_attribute]
pub fn cacheable(options: TokenStream, item: TokenStream) -> TokenStream {
    debug::shown(
        "cacheable",
        cacheable::attribute(options.into(), &item.into()),
    )
    .into()
}

#[doc = include_str!("docs/cache_evict.md")]
#[proc_macro_attribute]
pub fn cache_evict(options: TokenStream, item: TokenStream) -> TokenStream {
    debug::shown(
        "cache_evict",
        evict::attribute(options.into(), &item.into()),
    )
    .into()
}

#[doc = include_str!("docs/cache_put.md")]
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
