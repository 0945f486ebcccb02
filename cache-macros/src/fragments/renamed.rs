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
