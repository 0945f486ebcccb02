//! The list in an attribute's parentheses: `name`, `name = expression`, `name(…)`, or a bare expression.
//!
//! Each entry is read on its own, so one that cannot be read costs only itself: the rest of it is skipped up to the next comma.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Token};

use crate::diagnostics::Errors;

/// One entry of the list.
pub(crate) enum Entry {
    /// An expression without a name.
    Bare(Box<Expr>),
    /// A name with whatever follows it.
    Named(Ident, Given),
}

/// What was written after an option's name.
pub(crate) enum Given {
    /// `all`
    Nothing,
    /// `ttl = 60`
    Value(Box<Expr>),
    /// `crate = ::path`, which may be no expression
    Keyword(syn::Path),
    /// `skip(a, b)`
    Parenthesised(TokenStream),
    /// `ttl =`, with the span of the `=`
    Missing(Span),
}

/// Reads the whole list, reporting what cannot be read.
pub(crate) fn read(tokens: TokenStream, errors: &mut Errors) -> Vec<Entry> {
    let mut entries = Vec::new();
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            match entry(input) {
                Ok(entry) => entries.push(entry),
                Err(error) => {
                    errors.push(error);
                    skip_to_comma(input)?;
                }
            }
            if let Some(found) = after_entry(input) {
                errors.push(found);
                skip_to_comma(input)?;
            }
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(())
    };
    let read = parser.parse2(tokens);
    if let Err(error) = read {
        errors.push(error);
    }
    entries
}

fn entry(input: ParseStream<'_>) -> syn::Result<Entry> {
    if input.peek(Token![crate]) && input.peek2(Token![=]) {
        return crate_path(input);
    }
    let ahead = input.fork();
    let named = ahead.call(Ident::parse_any).is_ok_and(|name| {
        (ahead.is_empty() || ahead.peek(Token![,])) && !is_constant(&name)
            || ahead.peek(syn::token::Paren)
            || ahead.peek(Token![:]) && !ahead.peek(Token![::])
            || ahead.peek(Token![=]) && !ahead.peek(Token![==])
    });
    if !named {
        return input.parse().map(|value| Entry::Bare(Box::new(value)));
    }
    let name = input.call(Ident::parse_any)?;
    given(input, &name).map(|given| Entry::Named(name, given))
}

/// No option is spelled like a constant, so alone such a name is a value: `#[cacheable(TTL)]`.
fn is_constant(name: &Ident) -> bool {
    name.to_string().starts_with(char::is_uppercase)
}

fn given(input: ParseStream<'_>, name: &Ident) -> syn::Result<Given> {
    if input.peek(Token![:]) {
        let message = format!("write `{name} = …`: an option and its value are joined by `=`");
        return Err(input.error(message));
    }
    if input.peek(syn::token::Paren) {
        let inside;
        syn::parenthesized!(inside in input);
        return inside.parse().map(Given::Parenthesised);
    }
    let Some(equals) = input.parse::<Option<Token![=]>>()? else {
        return Ok(Given::Nothing);
    };
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(Given::Missing(equals.span));
    }
    input.parse().map(|value| Given::Value(Box::new(value)))
}

/// `crate` is a keyword and `crate = crate` no assignment, so this one value is read as a path.
fn crate_path(input: ParseStream<'_>) -> syn::Result<Entry> {
    let name = input.call(Ident::parse_any)?;
    let equals: Token![=] = input.parse()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(Entry::Named(name, Given::Missing(equals.span)));
    }
    if input.peek(syn::Lit) {
        return input
            .parse()
            .map(|value| Entry::Named(name, Given::Value(Box::new(value))));
    }
    let path = input.call(syn::Path::parse_mod_style)?;
    Ok(Entry::Named(name, Given::Keyword(path)))
}

/// What stands between an entry and the next comma does not belong there.
fn after_entry(input: ParseStream<'_>) -> Option<syn::Error> {
    (!input.is_empty() && !input.peek(Token![,]))
        .then(|| input.error("expected `,` between options"))
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}
