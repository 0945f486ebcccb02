//! The body for a receiver of another name.
//!
//! `self` cannot be bound, so in a closure that takes the receiver the body has to call it something else: every `self` that means the receiver
//! is replaced, also inside macros, as `async_trait` does. Lifetimes of the signature say how long the caller's arguments live; what the
//! closure lends lives as long as its run, and has no name.

use proc_macro2::{Group, Ident, Span, TokenStream};

use crate::source::pieces::{Piece, Pieces};

/// What the receiver is called: hygienic, so that no name of the user's is the same.
pub(crate) fn receiver(shown: Span) -> Ident {
    Ident::new("__this", Span::mixed_site().located_at(shown))
}

/// The statements with a receiver called [`receiver`], and `'_` for the lifetimes.
pub(crate) fn renamed(body: TokenStream, lifetimes: &[Ident]) -> TokenStream {
    let rename = |piece| match piece {
        Piece::Receiver(span) => receiver(span).into(),
        Piece::Lifetime(name) if lifetimes.contains(&name) => Ident::new("_", name.span()).into(),
        Piece::Lifetime(name) => name.into(),
        Piece::Group(group, _) => {
            let inside = renamed(group.stream(), lifetimes);
            let mut around = Group::new(group.delimiter(), inside);
            around.set_span(group.span());
            around.into()
        }
        Piece::Other(token) => token,
    };
    Pieces::of(body).map(rename).collect::<TokenStream>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: &str) {
        let tokens = |text: &str| -> TokenStream { text.parse().expect(text) };
        let lifetimes = [Ident::new("a", Span::call_site())];
        let renamed = renamed(tokens(body), &lifetimes).to_string();
        assert_eq!(renamed, tokens(expected).to_string(), "{body}");
    }

    #[test]
    fn the_receiver_is_renamed_wherever_it_is_meant() {
        check(
            "self.a(self, &mut self, ..self)",
            "__this.a(__this, &mut __this, ..__this)",
        );
        check("m!([self.x]; { self })", "m!([__this.x]; { __this })");
        check(
            "if self.a { x } else { self.b }",
            "if __this.a { x } else { __this.b }",
        );
        check(
            "f(&raw const self.a, x as *const u8, self)",
            "f(&raw const __this.a, x as *const u8, __this)",
        );
        check("let f: fn(u8) = g; self", "let f: fn(u8) = g; __this");
        check("let x = const { 1 }; self", "let x = const { 1 }; __this");
        check("S { a: self, b }", "S { a: __this, b }");
    }

    #[test]
    fn items_and_paths_keep_theirs() {
        for kept in [
            "self::f(); crate::x::<self::T>();",
            "use std::fmt::{self, Debug};",
            "struct A { pub(self) x: u8 }",
            "fn f<const N: usize>(&self) -> A<{ N }> { self.x }",
            "impl A<{ 1 }, { 2 }> for B { fn f(self) { self } }",
            "trait T { fn f(&self) { self.g() } }",
            "mod m { pub fn f() { self::g() } }",
            "macro_rules! m { ($self:ident) => { $self.x } }",
        ] {
            check(&format!("{kept} self"), &format!("{kept} __this"));
        }
    }

    #[test]
    fn lifetimes_of_the_signature_lose_their_names_and_labels_do_not() {
        check(
            "let x: &'a str = f::<'a, 'b>(y);",
            "let x: &'_ str = f::<'_, 'b>(y);",
        );
        check(
            "'a: loop { break 'a x; } continue 'a",
            "'a: loop { break 'a x; } continue 'a",
        );
        check(
            "struct S<'a>(&'a str); self",
            "struct S<'a>(&'a str); __this",
        );
        check(
            "fn f<'a>(x: &'a str) {} &'static 'a'",
            "fn f<'a>(x: &'a str) {} &'static 'a'",
        );
    }
}
