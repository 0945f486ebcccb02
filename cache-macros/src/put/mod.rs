//! `#[cache_put]`.
//!
//! ```text
//! source, options ──▶ validate ──▶ expand
//! ```
//!
//! The lease is taken before the body runs and renewed while it does, so the key is rendered from the arguments first; what
//! needs the value is filled in afterwards.

mod expand;
mod validate;

use proc_macro2::TokenStream;

use crate::options::Macro;
use crate::source;

/// Expands the attribute.
pub(crate) fn attribute(options: TokenStream, item: &TokenStream) -> TokenStream {
    source::attribute(Macro::Put, options, item, |input, errors| {
        validate::check(input, errors);
        expand::expand(input)
    })
}
