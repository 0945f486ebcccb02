//! One placeholder: a Rust expression over the arguments.
//!
//! The compiler of today offers no spans inside a string literal, so every token of the expression carries the span of the
//! whole literal, and the hygiene of what it names: an argument's own, else that of the attribute. A name that is no argument
//! is reported here, because rustc would offer to replace the literal by the name.

use std::str::FromStr;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Expr, LitStr};

use crate::diagnostics::Errors;
use crate::source::arguments::Arguments;

/// What a template may name.
#[derive(Clone, Copy)]
pub(crate) enum Scope<'a> {
    /// `key!`: whatever is in scope where it is written.
    Caller,
    /// The signature could not be read, and has been reported.
    Unknown,
    /// The arguments of a function, and why there is no `result`.
    Arguments(&'a Arguments, &'static str),
    /// The arguments, and `result` for the value.
    ArgumentsAndResult(&'a Arguments),
}

impl<'a> Scope<'a> {
    pub(crate) fn arguments(self) -> Option<&'a Arguments> {
        match self {
            Scope::Caller | Scope::Unknown => None,
            Scope::Arguments(arguments, _) | Scope::ArgumentsAndResult(arguments) => {
                Some(arguments)
            }
        }
    }
}

/// An expression between braces.
#[derive(Clone)]
pub(crate) struct Placeholder {
    pub(crate) expr: Expr,
}

impl Placeholder {
    /// Reads the text between two braces; `None` if it is no expression.
    pub(crate) fn read(text: &str, literal: &LitStr, scope: Scope<'_>) -> Option<Self> {
        let tokens = TokenStream::from_str(text).ok()?;
        let expr = syn::parse2(respanned(tokens, literal.span(), scope)).ok()?;
        Some(Self { expr })
    }

    /// Whether the expression can see a local called `name`.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        let mut mention = Mention { name, found: false };
        mention.visit_expr(&self.expr);
        mention.found
    }

    /// The first argument that the expression starts from, or that a macro in it names. A closure or block has names of
    /// its own: what those capture is left to the compiler.
    pub(crate) fn argument(&self, arguments: &Arguments) -> Option<String> {
        let mut roots = Vec::new();
        collect_roots(&self.expr, &mut roots);
        let mut names = roots.into_iter().map(Ident::to_string);
        let root = names.find(|name| arguments.find(name).is_some());
        root.or_else(|| {
            let Expr::Macro(call) = &self.expr else {
                return None;
            };
            let mut names = arguments.bindings().map(Ident::to_string);
            names.find(|name| in_tokens(call.mac.tokens.clone(), name))
        })
    }

    /// Reports names at the roots of the expression that no argument has.
    pub(crate) fn check(&self, literal: &LitStr, scope: Scope<'_>, errors: &mut Errors) {
        let Some(arguments) = scope.arguments() else {
            return;
        };
        if let Expr::Lit(number) = &self.expr {
            let text = number.to_token_stream();
            let message = format!("`{{{text}}}` names no argument: {}", arguments.instead());
            return errors.at(literal.span(), message);
        }
        let mut roots = Vec::new();
        collect_roots(&self.expr, &mut roots);
        for root in roots {
            let name = root.to_string();
            let known = arguments.find(&name).is_some();
            match scope {
                Scope::ArgumentsAndResult(_) if name == "result" => {}
                _ if known || is_constant(&name) => {}
                Scope::Arguments(_, why) if name == "result" => errors.at(
                    literal.span(),
                    format_args!("`{{result}}` is the value, {why}: use the arguments"),
                ),
                _ if name == "self" => {
                    errors.at(
                        literal.span(),
                        "`{self}` needs a receiver, and this function has none: use its arguments",
                    );
                }
                _ => errors.at(
                    literal.span(),
                    format_args!("no argument is called `{name}`: {}", arguments.instead()),
                ),
            }
        }
    }
}

/// Constants, statics and const parameters are written in capitals and are left to the compiler.
fn is_constant(name: &str) -> bool {
    name.starts_with(|first: char| first.is_uppercase())
}

/// The names an expression starts from: `a` and `b` in `f(a.x, &b[0])`. A block or closure has names of its own.
fn collect_roots<'a>(expr: &'a Expr, roots: &mut Vec<&'a Ident>) {
    match expr {
        Expr::Path(path) => roots.extend(path.path.get_ident()),
        Expr::Field(field) => collect_roots(&field.base, roots),
        Expr::Index(index) => collect_roots(&index.expr, roots),
        Expr::Reference(reference) => collect_roots(&reference.expr, roots),
        Expr::Unary(unary) => collect_roots(&unary.expr, roots),
        Expr::Paren(paren) => collect_roots(&paren.expr, roots),
        Expr::Cast(cast) => collect_roots(&cast.expr, roots),
        Expr::Binary(binary) => {
            collect_roots(&binary.left, roots);
            collect_roots(&binary.right, roots);
        }
        Expr::MethodCall(call) => {
            collect_roots(&call.receiver, roots);
            call.args
                .iter()
                .for_each(|argument| collect_roots(argument, roots));
        }
        Expr::Call(call) => call
            .args
            .iter()
            .for_each(|argument| collect_roots(argument, roots)),
        Expr::Tuple(tuple) => tuple
            .elems
            .iter()
            .for_each(|element| collect_roots(element, roots)),
        _ => {}
    }
}

fn respanned(tokens: TokenStream, shown: Span, scope: Scope<'_>) -> TokenStream {
    let default = match scope {
        Scope::Caller => shown,
        _ => Span::call_site().located_at(shown),
    };
    let respan = |mut token: TokenTree| {
        let argument = match (&token, scope.arguments()) {
            (TokenTree::Ident(ident), Some(arguments)) => arguments.find(&ident.to_string()),
            _ => None,
        };
        if let TokenTree::Group(group) = &token {
            let inside = respanned(group.stream(), shown, scope);
            token = proc_macro2::Group::new(group.delimiter(), inside).into();
        }
        token.set_span(argument.map_or(default, |span| span.located_at(shown)));
        token
    };
    tokens.into_iter().map(respan).collect()
}

/// Searches for a local by name: in paths, and in the tokens and format strings of macros.
struct Mention<'a> {
    name: &'a str,
    found: bool,
}

impl Visit<'_> for Mention<'_> {
    fn visit_expr_path(&mut self, path: &syn::ExprPath) {
        self.found |= path.path.is_ident(self.name);
        visit::visit_expr_path(self, path);
    }

    fn visit_macro(&mut self, call: &syn::Macro) {
        self.found |= in_tokens(call.tokens.clone(), self.name);
    }
}

/// Whether tokens, or format strings among them, name something.
pub(crate) fn in_tokens(tokens: TokenStream, name: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => in_tokens(group.stream(), name),
        TokenTree::Literal(literal) => literal.to_string().contains(&format!("{{{name}")),
        TokenTree::Punct(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_the_same_name_is_no_mention() {
        for (text, found) in [
            ("result.id", true),
            ("self.result", false),
            ("f(&result)", true),
            ("format!(\"{result}\")", true),
        ] {
            let literal = LitStr::new("", proc_macro2::Span::call_site());
            let placeholder = Placeholder::read(text, &literal, Scope::Caller).expect(text);
            assert_eq!(placeholder.mentions("result"), found, "{text}");
        }
    }
}
