//! Every mistake becomes one error on the token to change.
//!
//! A macro that stops at its first error makes its user compile once per mistake, so errors are collected while the pipeline
//! goes on without the unreadable part. Later checks skip what is missing; they never guess.
//!
//! Anchors: a wrong value, the value; a wrong, unknown or duplicate option, its name; a clash, the later option, which names the
//! earlier; a fact about the function, the smallest piece of its signature. The text is one sentence with code in
//! backticks that says what to write instead.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The collector. Dropping it unread panics: a forgotten error would let wrong code through.
pub(crate) struct Errors {
    found: Vec<syn::Error>,
    read: bool,
}

impl Errors {
    pub(crate) fn new() -> Self {
        Self {
            found: Vec::new(),
            read: false,
        }
    }

    /// An error on one token.
    pub(crate) fn at(&mut self, span: Span, message: impl std::fmt::Display) {
        self.found.push(syn::Error::new(span, message));
    }

    /// An error on all of the tokens (on a stable compiler: shown from the first to the last).
    pub(crate) fn on(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.found.push(syn::Error::new_spanned(tokens, message));
    }

    /// What a parser of `syn` had to say.
    pub(crate) fn push(&mut self, error: syn::Error) {
        self.found.push(error);
    }

    /// How many there are so far.
    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }

    /// All errors as code, `None` if there were none.
    pub(crate) fn finish(mut self) -> Option<TokenStream> {
        self.read = true;
        if self.found.is_empty() {
            return None;
        }
        Some(
            self.found
                .iter()
                .map(syn::Error::to_compile_error)
                .collect(),
        )
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        assert!(
            self.read || std::thread::panicking(),
            "the errors of an expansion were not emitted"
        );
    }
}

/// `` `a`, `b`, `c` ``
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names
        .into_iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
