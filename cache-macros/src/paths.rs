//! The door: the one path under which generated code may name anything of the runtime, `<crate>::__private`.
//!
//! The runtime can then move and rename whatever it likes, and a user who renamed or re-exported the crate says so once, with
//! `crate = …`. Items used: `Policy`, `StampedeProtection`, `Duration`, `Box`, `Site`, `EvictSite`, `Probe`, `via`, `Opaque`, `Found`,
//! `Call`, `KeyBuf`, `EvictPlan`, and the functions `instance`, `current`, `cache_ref`, `key`.

use proc_macro2::TokenStream;
use quote::ToTokens;

use crate::names::generated;

/// `<crate>::__private`, ready to be written in front of `::Item`.
#[derive(Clone)]
pub(crate) struct Door(TokenStream);

impl Door {
    /// The door of the crate at `root`, which is `::cache_runtime` unless the user said otherwise.
    pub(crate) fn new(root: Option<&syn::Path>) -> Self {
        match root {
            Some(root) => Self::of(root),
            None => Self::of(&generated! { ::cache_runtime }),
        }
    }

    /// The door behind any path tokens (`$crate` is no path that `syn` could read).
    pub(crate) fn of(root: &impl ToTokens) -> Self {
        Self(generated! { #root::__private })
    }
}

impl ToTokens for Door {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}
