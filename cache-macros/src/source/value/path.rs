//! Paths to the crate: absolute ones only.
//!
//! A relative path means something else in every module, and inside the block that we generate.

use quote::ToTokens;
use syn::Path;

/// Checks the value of `crate = …`.
pub(crate) fn absolute(path: Path) -> syn::Result<Path> {
    let first = path
        .segments
        .first()
        .map(|segment| segment.ident.to_string());
    if path.leading_colon.is_some()
        || first.as_deref() == Some("crate")
        || first.as_deref() == Some("$crate")
    {
        return Ok(path);
    }
    let written = path.to_token_stream().to_string().replace(' ', "");
    let instead = match first.as_deref() {
        Some("self" | "super" | "Self") | None => {
            "write it from the root, as `crate::…`".to_owned()
        }
        _ => format!("write `::{written}`, or `crate::{written}` for a module of yours"),
    };
    Err(syn::Error::new_spanned(
        path,
        format!("`crate` takes an absolute path: {instead}"),
    ))
}
