//! What every call needs: its site, the cache, and whether the cache takes part at all.
//!
//! Expressions of the user are evaluated by plain borrow, before the body takes the arguments.

use proc_macro2::TokenStream;
use quote::ToTokens;

use crate::names::generated;
use crate::options::Options;
use crate::paths::Door;
use crate::source::function::Function;

/// The name of the site: its module and function, a constant.
pub(crate) fn site_name(function: &Function) -> TokenStream {
    let name = format!("::{}", function.name());
    generated! { ::core::concat!(::core::module_path!(), #name) }
}

/// The cache to use, borrowed.
pub(crate) fn cache(options: &Options, p: &Door) -> TokenStream {
    match options.expression("cache") {
        Some(expr) => {
            let expr = parenthesised(expr);
            generated! { #p::cache_ref(&#expr) }
        }
        None => generated! { #p::current() },
    }
}

/// Whether the cache takes part.
pub(crate) fn condition(options: &Options) -> TokenStream {
    options
        .expression("condition")
        .map_or_else(|| generated! { true }, ToTokens::to_token_stream)
}

/// An expression of the user as one operand.
pub(crate) fn parenthesised(expr: &impl ToTokens) -> TokenStream {
    generated! { (#expr) }
}
