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

use crate::options::{Macro, Options};
use crate::source;
use crate::source::value::template::{Kind, Template};

/// The scope in which the keys are, where there are keys: without any, it is itself what is evicted.
fn scope_of_keys(options: &Options) -> Option<&Template> {
    let keyed = options.every_template().any(|(kind, _)| kind == Kind::Key);
    options.templates("scope").first().filter(|_| keyed)
}

/// The templates that say what to evict, in the order in which they were written.
fn targets(options: &Options) -> impl Iterator<Item = (Kind, &Template)> {
    let keyed = scope_of_keys(options).is_some();
    options
        .every_template()
        .filter(move |(kind, _)| !(keyed && *kind == Kind::Scope))
}

/// Expands the attribute.
pub(crate) fn attribute(options: TokenStream, item: &TokenStream) -> TokenStream {
    source::attribute(Macro::Evict, options, item, |input, errors| {
        validate::check(input, errors);
        expand::expand(input)
    })
}
