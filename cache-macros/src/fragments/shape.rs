//! The shape of the return type, asked of the compiler where the function is defined.
//!
//! Method resolution on a reference tells `Result` and what counts references from everything else, through aliases. The traits are imported in a block of
//! their own so that nothing leaks into the body. The one call with bounds carries the span of the return type: a type
//! that cannot be cached is one error, there.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;

use crate::names::generated;
use crate::options::Options;
use crate::paths::Door;
use crate::source::function::{Function, first_span};
use crate::source::returns::Returns;

/// `let __shape = …;`
pub(crate) fn shape(output: &syn::Type, p: &Door) -> TokenStream {
    generated! {
        let __shape = { use #p::via::*; (&&&#p::Probe::<#output>::NEW).shape() };
    }
}

/// The same of a type with holes, where `impl Trait` was: anything could be an `Arc`, so nobody asks.
pub(crate) fn shape_around_holes(output: &syn::Type, p: &Door) -> TokenStream {
    generated! {
        let __shape = {
            use #p::via::holes::*;
            (&&&#p::Probe::<#output>::NEW).shape()
        };
    }
}

/// `let __ready = …;`, the one bound check.
pub(crate) fn ready(function: &Function) -> TokenStream {
    let span = span_in(function, function.returns.value());
    let check = Ident::new("can_be_cached", Span::mixed_site().located_at(span));
    generated! { let __ready = __shape.#check(); }
}

/// The span of generated code whose mistakes are those of the error in the return type, or of all of it.
pub(super) fn shown_at_error(function: &Function) -> Span {
    let returns = &function.returns;
    let error = returns.error().unwrap_or(&returns.output);
    Span::mixed_site().located_at(span_in(function, error))
}

/// Where a part of the return type begins; what is not written is shown at the function's name.
fn span_in(function: &Function, part: &syn::Type) -> Span {
    match &function.sig.output {
        syn::ReturnType::Default => function.sig.ident.span(),
        syn::ReturnType::Type(..) => first_span(part),
    }
}

/// How waiters get the leader's error.
pub(crate) fn share(options: &Options, returns: &Returns, p: &Door) -> TokenStream {
    if let Some(function) = options.expression("share_errors") {
        let function = function.to_token_stream();
        return generated! { __shape.share_with(#function) };
    }
    if options.is_off("share_errors") || returns.error_may_borrow() {
        return generated! { __shape.share_none() };
    }
    generated! { { use #p::via::*; (&__shape.errors()).sharing() } }
}
