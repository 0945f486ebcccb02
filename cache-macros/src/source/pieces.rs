//! A body in pieces: which of its tokens speak of the receiver and of lifetimes.
//!
//! A body is not parsed, and its macros could not be. Its tokens tell enough: items inside it have a `self` and lifetimes of their own,
//! and in paths and visibilities `self` means a module.

use proc_macro2::token_stream::IntoIter;
use proc_macro2::{Delimiter, Group, Ident, Spacing, Span, TokenStream, TokenTree};

/// A piece of a body.
pub(crate) enum Piece {
    /// `self`, where it is the receiver.
    Receiver(Span),
    /// The name in `'a`, where that is no label.
    Lifetime(Ident),
    /// With whether a macro is called with it.
    Group(Group, bool),
    Other(TokenTree),
}

/// Where the first text stands in a macro's arguments that names the receiver, as `"{self}"`.
pub(crate) fn text_with_receiver(body: TokenStream) -> Option<Span> {
    search(body, false)
}

fn search(tokens: TokenStream, in_macro: bool) -> Option<Span> {
    Pieces::of(tokens).find_map(|piece| match piece {
        Piece::Group(group, of_macro) => search(group.stream(), in_macro || of_macro),
        Piece::Other(TokenTree::Literal(literal)) if in_macro => {
            let span = literal.span();
            matches!(syn::Lit::new(literal), syn::Lit::Str(text) if names_receiver(&text.value()))
                .then_some(span)
        }
        _ => None,
    })
}

/// Whether a template has a placeholder `{self…}`.
fn names_receiver(text: &str) -> bool {
    let text = text.replace("{{", "");
    let mut after = text.split("{self").skip(1);
    after.any(|after| after.starts_with(['}', ':', '.']))
}

/// Words that begin an item if a name follows.
const ITEMS: [&str; 10] = [
    "fn", "trait", "mod", "struct", "enum", "union", "type", "const", "static", "macro",
];

/// What tokens belong to.
#[derive(Clone, Copy, PartialEq)]
enum Inside {
    Body,
    /// Up to its body in braces, or its semicolon.
    Item,
    /// Up to its semicolon.
    Use,
}

/// The pieces of one level of tokens.
pub(crate) struct Pieces {
    tokens: std::iter::Peekable<IntoIter>,
    inside: Inside,
    /// The last two tokens as text, the later first; of groups there is none.
    before: [String; 2],
}

impl Pieces {
    pub(crate) fn of(tokens: TokenStream) -> Self {
        Self {
            tokens: tokens.into_iter().peekable(),
            inside: Inside::Body,
            before: Default::default(),
        }
    }

    fn next_is(&mut self, mark: char) -> bool {
        matches!(self.tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == mark)
    }

    /// Whether `::` follows.
    fn in_path(&mut self) -> bool {
        matches!(self.tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == ':' && punct.spacing() == Spacing::Joint)
    }

    fn of_body(&mut self, token: TokenTree) -> Piece {
        let [before, earlier] = self.before.clone();
        match token {
            TokenTree::Ident(name) if before == "'" => {
                let label = matches!(&*earlier, "break" | "continue") || self.next_is(':');
                if label {
                    Piece::Other(name.into())
                } else {
                    Piece::Lifetime(name)
                }
            }
            // `self::path`, `$self`
            TokenTree::Ident(word) if word == "self" && before != "$" && !self.in_path() => {
                Piece::Receiver(word.span())
            }
            TokenTree::Ident(word) => {
                self.inside = self.begun_by(&word);
                Piece::Other(word.into())
            }
            // `pub(self)`
            TokenTree::Group(group) if before == "pub" => Piece::Other(group.into()),
            TokenTree::Group(group) => {
                let of_macro = before == "!";
                Piece::Group(group, of_macro)
            }
            other => Piece::Other(other),
        }
    }

    /// What a word begins: `fn name` is an item, `fn(u8)`, `*const u8` and `&raw const x` are none.
    fn begun_by(&mut self, word: &Ident) -> Inside {
        let named = matches!(self.tokens.peek(), Some(TokenTree::Ident(_)));
        if word == "use" {
            Inside::Use
        } else if word == "impl"
            || named
                && !matches!(&*self.before[0], "*" | "raw")
                && ITEMS.iter().any(|item| word == item)
        {
            Inside::Item
        } else {
            Inside::Body
        }
    }

    /// Whether an item ends with this token: its semicolon, or its body. `{ N }` among generic arguments is no body.
    fn is_end(&mut self, token: &TokenTree) -> bool {
        match token {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Group(group) => {
                self.inside == Inside::Item
                    && group.delimiter() == Delimiter::Brace
                    && !self.next_is('>')
                    && !self.next_is(',')
            }
            _ => false,
        }
    }
}

impl Iterator for Pieces {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let token = self.tokens.next()?;
        let text = match &token {
            TokenTree::Group(_) => String::new(),
            other => other.to_string(),
        };
        let piece = if self.inside == Inside::Body {
            self.of_body(token)
        } else {
            if self.is_end(&token) {
                self.inside = Inside::Body;
            }
            Piece::Other(token)
        };
        self.before.swap(0, 1);
        self.before[0] = text;
        Some(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> bool {
        text_with_receiver(text.parse().expect(text)).is_some()
    }

    #[test]
    fn a_text_names_the_receiver_where_a_macro_reads_it() {
        for text in [
            r#"println!("{self}")"#,
            r##"format!(r#"{self:?} and {}"#, 1)"##,
            r#"if a { outer!(inner!["{id}" "{self:>8}"]) }"#,
            r#"key!("{self.tenant}:{id}")"#,
        ] {
            assert!(found(text), "{text}");
        }
        for text in [
            r#"f("{self}")"#,
            r#"println!("{{self}}")"#,
            r#"println!("{self_} {selfish} self {}", self)"#,
            r#"impl Display for Inner { fn fmt(&self) { write!(f, "{self}") } }"#,
            r#"println!(b"{self}")"#,
        ] {
            assert!(!found(text), "{text}");
        }
    }
}
