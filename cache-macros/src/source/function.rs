//! The annotated function: its signature parsed, its body left as the tokens they are.
//!
//! A body that is not parsed cannot be misread: syntax newer than `syn` passes through, and every error in it keeps its span.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{AttrStyle, Attribute, Signature, Visibility};

use super::arguments::Arguments;
use super::returns::{self, Returns};
use crate::diagnostics::Errors;
use crate::options::Macro;

/// One function with a body that an attribute can wrap.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    /// The statements, without their braces and inner attributes.
    pub(crate) body: TokenStream,
    /// Where the braces were.
    pub(crate) braces: Span,
    pub(crate) arguments: Arguments,
    pub(crate) returns: Returns,
}

impl Function {
    /// Reads the item, or says why the attribute does not belong there.
    pub(crate) fn read(which: Macro, item: &TokenStream, errors: &mut Errors) -> Option<Self> {
        let name = which.name();
        let (attrs, vis, sig, body) = match parse_item.parse2(item.clone()) {
            Ok(parts) => parts,
            Err(error) => {
                errors.at(
                    error.span(),
                    format_args!("`{name}` goes on an `async fn`: {error}"),
                );
                return None;
            }
        };
        let Some(body) = body else {
            errors.at(
                sig.fn_token.span,
                format_args!(
                    "this declaration has no body to run: put `{name}` on the `fn` in the `impl`"
                ),
            );
            return None;
        };
        let returns = returns::read(which, &sig, errors)?;
        let (inner, statements) = inner_attributes
            .parse2(body.stream())
            .unwrap_or((Vec::new(), body.stream()));
        Some(Self {
            attrs: attrs.into_iter().chain(inner).collect(),
            vis,
            arguments: Arguments::of(&sig),
            sig,
            body: statements,
            braces: body.span(),
            returns,
        })
    }

    /// The name as it is written in a path, without `r#`.
    pub(crate) fn name(&self) -> String {
        let name = self.sig.ident.to_string();
        name.strip_prefix("r#")
            .map_or_else(|| name.clone(), str::to_owned)
    }

    /// The first of the other attributes of this function that is called one of `names`.
    ///
    /// Attributes expand from the outside in, so the first listed sees the others.
    pub(crate) fn sibling(&self, names: &[&str]) -> Option<&Ident> {
        let last = self
            .attrs
            .iter()
            .filter_map(|attribute| attribute.path().segments.last());
        last.map(|segment| &segment.ident)
            .find(|ident| names.iter().any(|name| ident == name))
    }

    /// The function around another body.
    pub(crate) fn around(&self, body: TokenStream) -> TokenStream {
        let (attrs, vis, sig) = (&self.attrs, &self.vis, &self.sig);
        let mut braced = Group::new(Delimiter::Brace, body);
        braced.set_span(self.braces);
        quote::quote! { #(#attrs)* #vis #sig #braced }
    }
}

type Parts = (Vec<Attribute>, Visibility, Signature, Option<Group>);

fn parse_item(input: ParseStream<'_>) -> syn::Result<Parts> {
    let attrs = input.call(Attribute::parse_outer)?;
    let vis = input.parse()?;
    let sig = input.parse()?;
    let body = if input.peek(syn::Token![;]) {
        input.parse::<syn::Token![;]>()?;
        None
    } else {
        match input.parse()? {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group),
            other => {
                return Err(syn::Error::new(
                    other.span(),
                    "expected the body of a function",
                ));
            }
        }
    };
    Ok((attrs, vis, sig, body))
}

/// `#![…]` may stand only at the start of a body, which will be ours: they move onto the function.
fn inner_attributes(input: ParseStream<'_>) -> syn::Result<(Vec<Attribute>, TokenStream)> {
    let mut attrs = input.call(Attribute::parse_inner)?;
    for attribute in &mut attrs {
        attribute.style = AttrStyle::Outer;
    }
    Ok((attrs, input.parse()?))
}

/// The span of the first token, for facts about a whole piece of syntax.
pub(crate) fn first_span(tokens: &impl ToTokens) -> Span {
    tokens
        .to_token_stream()
        .into_iter()
        .next()
        .map_or_else(|| tokens.span(), |token| token.span())
}
