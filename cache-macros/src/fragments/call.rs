//! What every call needs: its site, the cache, and whether the cache takes part at all.
//!
//! Expressions of the user are evaluated by plain borrow, before the body takes the arguments.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens, quote_spanned};

use super::policy::functions;
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
            let expr = borrowed(expr);
            generated! { #p::cache_ref(#expr) }
        }
        None => generated! { #p::current() },
    }
}

/// The calls that say who is told of the answer.
pub(crate) fn told(options: &Options) -> TokenStream {
    functions(options, &["on_hit", "on_miss"])
}

/// Whether the cache takes part.
pub(crate) fn condition(options: &Options) -> TokenStream {
    options
        .expression("condition")
        .map_or_else(|| generated! { true }, ToTokens::to_token_stream)
}

/// `&(…)` around an expression of the user, shown where the expression is: an error about its type belongs there.
pub(crate) fn borrowed(expr: &impl ToTokens) -> TokenStream {
    let tokens = expr.to_token_stream();
    let spans = || tokens.clone().into_iter().map(|token| token.span());
    let shown = |span: Option<Span>| {
        span.map_or_else(Span::mixed_site, |span| Span::mixed_site().located_at(span))
    };
    let (first, last) = (shown(spans().next()), shown(spans().last()));
    let mut operand = Group::new(Delimiter::Parenthesis, tokens);
    operand.set_span(last);
    quote_spanned! { first => &#operand }
}
