//! The door: the one path under which generated code may name anything of the runtime, `<crate>::__private`.
//!
//! The runtime can then move and rename whatever it likes, and a user who renamed or re-exported the crate says so once, with
//! `crate = …`. An expansion imports the door under one short name, so that it stays readable. Items used: `Policy`,
//! `StampedeProtection`, `Duration`, `Box`, `Site`, `EvictSite`, `Probe`, `via`, `Opaque`, `Found`, `Call`, `KeyBuf`, `TagBuf`, `EvictPlan`,
//! `Argument`, `Reference`, `OptionalReference`, and the functions `instance`, `current`, `cache_ref`, `key`, `lend`, `lend_option`.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;

use crate::names::{door, generated};

/// What is written in front of `::Item`.
pub(crate) struct Door {
    import: TokenStream,
    path: TokenStream,
}

impl Door {
    /// The door of the crate at `root`, which is `::cache_runtime` unless the user said otherwise.
    pub(crate) fn of_body(root: Option<&syn::Path>) -> Self {
        let root = root.map_or_else(|| generated! { ::cache_runtime }, ToTokens::to_token_stream);
        let door = door();
        Self {
            import: generated! { use #root::__private as #door; },
            path: generated! { #door },
        }
    }

    /// The door where only an expression may stand; any path tokens (`$crate` is no path that `syn` could read).
    pub(crate) fn of_expression(root: &TokenStream) -> Self {
        Self {
            import: TokenStream::new(),
            path: generated! { #root::__private },
        }
    }

    /// The path where an error about what is behind it belongs.
    pub(crate) fn shown_at(&self, span: Span) -> TokenStream {
        let locate = |mut token: TokenTree| {
            token.set_span(token.span().located_at(span));
            token
        };
        self.path.clone().into_iter().map(locate).collect()
    }

    /// The statement that comes first in a body.
    pub(crate) fn import(&self) -> &TokenStream {
        &self.import
    }
}

impl ToTokens for Door {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.path.to_tokens(tokens);
    }
}
