//! Taking a template apart.
//!
//! A placeholder ends at the first `}` after which its text is a Rust expression, so blocks and struct literals need no other
//! notation. `{{` and `}}` are characters.

use syn::LitStr;

use super::placeholder::{Placeholder, Scope};
use super::template::Piece;

/// The pieces of a template, or what is wrong with its text.
pub(super) fn split(literal: &LitStr, scope: Scope<'_>) -> Result<Vec<Piece>, String> {
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
    use quote::ToTokens;

    use super::*;

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
}
