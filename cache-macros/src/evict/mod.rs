//! `#[cache_evict]`.
//!
//! ```text
//! source, options ──▶ validate ──▶ expand
//! ```
//!
//! What is to be evicted is rendered before the body, which may consume the arguments; a guard holds it across the body, so that
//! a dropped or panicking body evicts too without running any code of the user. Several attributes nest, each around
//! the function that the one before has wrapped.

mod expand;
mod validate;

use proc_macro2::TokenStream;

use crate::options::Macro;
use crate::source;

/// Expands the attribute.
pub(crate) fn attribute(options: TokenStream, item: &TokenStream) -> TokenStream {
    source::attribute(Macro::Evict, options, item, |input, errors| {
        validate::check(input, errors);
        expand::expand(input)
    })
}
