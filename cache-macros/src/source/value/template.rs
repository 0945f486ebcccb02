//! Templates: literal text with placeholders in braces.
//!
//! A placeholder ends at the first `}` after which its text is a Rust expression, so blocks and struct literals need no other
//! notation. Two placeholders need a `:` between them: without it ("x-y", "z") and ("x", "y-z") would be one key.

use syn::{Expr, Lit, LitStr};

use super::literal;
use super::placeholder::{Placeholder, Scope};
use crate::diagnostics::Errors;

/// A template as written.
#[derive(Clone)]
pub(crate) struct Template {
    pub(crate) literal: LitStr,
    pub(crate) pieces: Vec<Piece>,
}

/// A part of a template.
#[derive(Clone)]
pub(crate) enum Piece {
    /// Text with `{{` and `}}` already read, not encoded.
    Text(String),
    Placeholder(Placeholder),
}

/// What the text around the placeholders is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Key,
    Pattern,
}

/// Reads the value of an option called `name` that takes one template.
pub(crate) fn one(
    name: &str,
    kind: Kind,
    expr: &Expr,
    scope: Scope<'_>,
    errors: &mut Errors,
) -> Option<Template> {
    match literal(expr) {
        Some(Lit::Str(text)) => Template::read(text, kind, scope, errors),
        _ => {
            errors.on(
                expr,
                format_args!(
                    "a template is read at compile time: write `{name} = \"…\"` as a string literal"
                ),
            );
            None
        }
    }
}

/// Reads one template or a list `[…]` of them.
pub(crate) fn many(
    name: &str,
    kind: Kind,
    expr: &Expr,
    scope: Scope<'_>,
    errors: &mut Errors,
) -> Vec<Template> {
    let Expr::Array(array) = expr else {
        return one(name, kind, expr, scope, errors).into_iter().collect();
    };
    if array.elems.is_empty() {
        errors.on(
            array,
            format_args!("an empty list evicts nothing: write `{name} = [\"…\"]`"),
        );
    }
    array
        .elems
        .iter()
        .filter_map(|element| one(name, kind, element, scope, errors))
        .collect()
}

impl Template {
    /// Reads a literal, reporting every mistake in it.
    pub(crate) fn read(
        text: &LitStr,
        kind: Kind,
        scope: Scope<'_>,
        errors: &mut Errors,
    ) -> Option<Self> {
        let pieces = match split(text, scope) {
            Ok(pieces) => pieces,
            Err(message) => {
                errors.at(text.span(), message);
                return None;
            }
        };
        if pieces.is_empty() {
            errors.at(
                text.span(),
                "an empty template: write what the entry is called, such as \"product:{id}\"",
            );
            return None;
        }
        let template = Self {
            literal: text.clone(),
            pieces,
        };
        template
            .placeholders()
            .for_each(|placeholder| placeholder.check(text, scope, errors));
        if !template.separated(kind) {
            errors.at(text.span(), "two placeholders without `:` between them can give one key for different values: write `{a}:{b}`");
        }
        Some(template)
    }

    pub(crate) fn placeholders(&self) -> impl Iterator<Item = &Placeholder> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Placeholder(placeholder) => Some(placeholder),
            Piece::Text(_) => None,
        })
    }

    /// Whether the placeholders are kept apart, by `:` or in a pattern by a `*`.
    fn separated(&self, kind: Kind) -> bool {
        let separator =
            |text: &String| text.contains(':') || kind == Kind::Pattern && text.contains('*');
        let mut open = false;
        self.pieces.iter().all(|piece| match piece {
            Piece::Text(text) => {
                open &= !separator(text);
                true
            }
            Piece::Placeholder(_) => !std::mem::replace(&mut open, true),
        })
    }
}

fn split(literal: &LitStr, scope: Scope<'_>) -> Result<Vec<Piece>, String> {
    let value = literal.value();
    let (mut pieces, mut text, mut rest) = (Vec::new(), String::new(), value.as_str());
    while let Some(at) = rest.find(['{', '}']) {
        text.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            text.push_str(brace);
            rest = after;
        } else if brace == "}" {
            return Err("`}` without `{`: write `}}` for the character".to_owned());
        } else {
            let (placeholder, after) = placeholder(rest, literal, scope)?;
            if !text.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
            }
            pieces.push(Piece::Placeholder(placeholder));
            rest = after;
        }
    }
    text.push_str(rest);
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

/// The placeholder at the start of `rest`, and the text after its `}`.
fn placeholder<'a>(
    rest: &'a str,
    literal: &LitStr,
    scope: Scope<'_>,
) -> Result<(Placeholder, &'a str), String> {
    let ends = rest.match_indices('}').map(|(end, _)| end);
    let read =
        |end| Placeholder::read(&rest[..end], literal, scope).map(|read| (read, &rest[end + 1..]));
    ends.clone()
        .find_map(read)
        .ok_or_else(|| match ends.clone().next() {
            None => {
                "`{` without `}`: close the placeholder, or write `{{` for the character".to_owned()
            }
            Some(end) => malformed(&rest[..end], literal, scope),
        })
}

/// Says what is wrong with the text of a placeholder.
fn malformed(text: &str, literal: &LitStr, scope: Scope<'_>) -> String {
    if text.trim().is_empty() {
        return "`{}` names nothing: write the argument, such as `{id}`".to_owned();
    }
    let head = text.split(':').next().unwrap_or_default();
    if text.contains(':') && Placeholder::read(head, literal, scope).is_some() {
        return format!(
            "`{{{text}}}` has a format spec, and a key has one encoding for every value: write `{{{head}}}`"
        );
    }
    format!(
        "`{text}` is no expression: write an argument or what it leads to, such as `{{id}}` or `{{query.page}}`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::ToTokens;

    fn read(text: &str) -> Result<Vec<String>, String> {
        let literal = LitStr::new(text, proc_macro2::Span::call_site());
        let pieces = split(&literal, Scope::Caller)?;
        Ok(pieces.iter().map(shown).collect())
    }

    fn shown(piece: &Piece) -> String {
        match piece {
            Piece::Text(text) => text.clone(),
            Piece::Placeholder(placeholder) => format!("<{}>", placeholder.expr.to_token_stream()),
        }
    }

    #[test]
    fn text_and_placeholders_alternate() {
        assert_eq!(read("product:{id}").expect("reads"), ["product:", "<id>"]);
        assert_eq!(
            read("{self.tenant}:{q.page}:x").expect("reads"),
            ["<self . tenant>", ":", "<q . page>", ":x"]
        );
        assert_eq!(read("plain").expect("reads"), ["plain"]);
    }

    #[test]
    fn doubled_braces_are_characters() {
        assert_eq!(read("a{{b}}c{id}").expect("reads"), ["a{b}c", "<id>"]);
    }

    #[test]
    fn a_placeholder_ends_where_its_expression_does() {
        assert_eq!(
            read("a:{ {let x = id; x + 1} }").expect("reads"),
            ["a:", "<{ let x = id ; x + 1 }>"]
        );
        assert_eq!(
            read("a:{vec![id, 1]}:{f::<u8>(b)}").expect("reads").len(),
            4
        );
        assert_eq!(read("a:{\"}\".len() + id}").expect("reads").len(), 2);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, part) in [
            ("a:{", "without `}`"),
            ("a:}", "without `{`"),
            ("a:{}", "names nothing"),
            ("a:{id:?}", "format spec"),
            ("a:{id:>5}", "write `{id}`"),
            ("a:{1 +}", "no expression"),
        ] {
            let message = read(text).expect_err(text);
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn placeholders_need_a_colon_between_them() {
        for (text, kind, apart) in [
            ("{a}:{b}", Kind::Key, true),
            ("{a}-{b}", Kind::Key, false),
            ("{a}{b}", Kind::Key, false),
            ("{a}-:-{b}:{c}", Kind::Key, true),
            ("{a}*{b}", Kind::Key, false),
            ("{a}*{b}", Kind::Pattern, true),
        ] {
            let literal = LitStr::new(text, proc_macro2::Span::call_site());
            let pieces = split(&literal, Scope::Caller).expect(text);
            assert_eq!(
                Template { literal, pieces }.separated(kind),
                apart,
                "{text}"
            );
        }
    }

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
