//! Reading: from tokens to data, with spans. Nothing here knows what an option means.

pub(crate) mod arguments;
pub(crate) mod function;
pub(crate) mod list;
pub(crate) mod owned;
pub(crate) mod pieces;
pub(crate) mod result;
pub(crate) mod returns;
pub(crate) mod secret;
pub(crate) mod tags;
pub(crate) mod tiers;
pub(crate) mod value;

use proc_macro2::TokenStream;
use quote::quote;

use crate::diagnostics::Errors;
use crate::options::{Macro, Options};
use function::Function;

/// What an attribute was given, read and checked option by option.
pub(crate) struct Input {
    pub(crate) function: Function,
    pub(crate) options: Options,
}

/// The frame of the three attributes: read, let `expand` check and generate, and on any error emit the function as it was,
/// so that the mistake does not cascade into "function not found".
pub(crate) fn attribute(
    which: Macro,
    options: TokenStream,
    item: &TokenStream,
    expand: impl FnOnce(&Input, &mut Errors) -> TokenStream,
) -> TokenStream {
    let mut errors = Errors::new();
    let function = Function::read(which, item, &mut errors);
    let options = Options::read(which, options, function.as_ref(), &mut errors);
    let expansion = function.map(|function| expand(&Input { function, options }, &mut errors));
    match (errors.finish(), expansion) {
        (None, Some(expansion)) => expansion,
        (found, _) => quote! { #found #item },
    }
}
