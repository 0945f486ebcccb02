//! `key!`: a key by the rules of the attributes' templates.
//!
//! A procedural macro cannot see its caller's locals under its own hygiene and cannot name its crate, so `key!` is a `macro_rules!`
//! that passes `$crate` and the literal here; placeholders take the literal's span, which is the caller's.

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Token};

use crate::diagnostics::Errors;
use crate::fragments::key::KeyPlan;
use crate::names::generated;
use crate::paths::Door;
use crate::source::value::placeholder::Scope;
use crate::source::value::template::{self, Kind, Template};

/// Expands `$crate, "template"`.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let (root, value) = match parts.parse2(input) {
        Ok(parts) => parts,
        Err(error) => return error.to_compile_error(),
    };
    let mut errors = Errors::new();
    let template = template::one("key!", Kind::Key, &value, Scope::Caller, &mut errors);
    match (errors.finish(), template) {
        (None, Some(template)) => render(&template, &Door::of_expression(&root)),
        // Of the right type, so that nothing else is reported.
        (found, _) => {
            let p = Door::of_expression(&root);
            generated! { { #found #p::key("", |_| {}) } }
        }
    }
}

fn parts(input: ParseStream<'_>) -> syn::Result<(TokenStream, Expr)> {
    let mut root = Vec::new();
    while !input.peek(Token![,]) {
        root.push(input.parse::<TokenTree>()?);
    }
    input.parse::<Token![,]>()?;
    let value = input.parse()?;
    input.parse::<Option<Token![,]>>()?;
    Ok((root.into_iter().collect(), value))
}

fn render(template: &Template, p: &Door) -> TokenStream {
    let plan = KeyPlan::of(template, Kind::Key, &[], false);
    let (blanked, render) = (plan.blanked(), plan.render(p));
    generated! { #p::key(#blanked, #render) }
}
