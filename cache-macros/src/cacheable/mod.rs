//! `#[cacheable]`.
//!
//! ```text
//! source, options ──▶ validate ──▶ model ──▶ expand
//! ```
//!
//! A lookup is synchronous and borrows the arguments; only a miss builds the body's future, and boxes it, so that a hit never pays
//! for the size of the body.

mod expand;
mod model;
mod validate;

use proc_macro2::TokenStream;

use crate::options::Macro;
use crate::source;

/// Expands the attribute.
pub(crate) fn attribute(options: TokenStream, item: &TokenStream) -> TokenStream {
    source::attribute(Macro::Cacheable, options, item, |input, errors| {
        validate::check(input, errors);
        expand::expand(&model::Cacheable::of(input))
    })
}
