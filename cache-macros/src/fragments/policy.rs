//! The policy: literals in the site's static, expressions in the call.
//!
//! A static can name neither arguments nor generics nor `Self`, so a value that is an expression is set on a copy of the policy
//! when a load needs it. Closures over the value become plain function pointers: one that captures is a type error on
//! the name it captures.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;

use crate::names::{generated, site};
use crate::options::{Argument, Options, Setting};
use crate::paths::Door;
use crate::source::value::duration;

/// The policy of the static.
pub(crate) fn constant(options: &Options, p: &Door) -> TokenStream {
    let calls = options
        .settings()
        .filter(|setting| !is_expression(setting))
        .map(|setting| call(setting, p));
    generated! { #p::Policy::new()#(#calls)* }
}

/// The policy of this call.
pub(crate) fn of_call(options: &Options, p: &Door) -> TokenStream {
    let site = site();
    let calls = options
        .settings()
        .filter(|setting| is_expression(setting))
        .map(|setting| call(setting, p));
    generated! { #site.policy()#(#calls)* }
}

/// The call on the site that makes its hits look for work.
pub(crate) fn watched(options: &Options) -> Option<TokenStream> {
    options.are_watched().then(|| generated! { .watched() })
}

/// The functions over the value.
pub(crate) fn hooks(options: &Options) -> TokenStream {
    let calls = functions(options, &["ttl_from", "unless", "tags_from"]);
    generated! { __ready.hooks()#calls }
}

/// The calls that pass functions on, under the names of their options.
pub(super) fn functions(options: &Options, names: &[&str]) -> TokenStream {
    let given = names
        .iter()
        .filter_map(|name| Some((name, options.expression(name)?)));
    let calls = given.map(|(name, function)| {
        let setter = Ident::new(name, Span::mixed_site());
        generated! { .#setter(#function) }
    });
    calls.collect()
}

/// A length of time as an expression.
pub(crate) fn length(span: &duration::Span, p: &Door) -> TokenStream {
    match span {
        duration::Span::Literal(length) => literal_length(*length, p),
        duration::Span::Expression(expr) => expr.to_token_stream(),
    }
}

fn is_expression(setting: &Setting) -> bool {
    matches!(setting.argument, Argument::Expression(_))
}

fn call(setting: &Setting, p: &Door) -> TokenStream {
    let setter = Ident::new(setting.setter, Span::mixed_site());
    let argument = match &setting.argument {
        Argument::Nothing => TokenStream::new(),
        Argument::Duration(length) => literal_length(*length, p),
        Argument::Number(number) => generated! { #number },
        Argument::Version(version) => generated! { #version },
        Argument::Variant(of, variant) => {
            let (of, variant) = (
                Ident::new(of, Span::mixed_site()),
                Ident::new(variant, Span::mixed_site()),
            );
            generated! { #p::#of::#variant }
        }
        Argument::Expression(expr) => expr.to_token_stream(),
    };
    generated! { .#setter(#argument) }
}

fn literal_length(length: std::time::Duration, p: &Door) -> TokenStream {
    let (seconds, nanos) = (length.as_secs(), length.subsec_nanos());
    generated! { #p::Duration::new(#seconds, #nanos) }
}
