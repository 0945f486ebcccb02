//! Generated locals that no user can name, and that can shadow nothing of theirs.
//!
//! An argument called `key`, `cache` or `__key` must reach the body untouched. So every token we write carries the span
//! `mixed_site`, under which locals live in a world of their own; the tokens of the user keep theirs. Generated code is
//! written with [`generated!`] and nothing else, which makes the rule a property of the macro instead of a habit. Locals are
//! called `__name` there, for whoever reads an expansion. Items are not hygienic: the two that an
//! expansion has, [`site`] and [`door`], are called what nobody else would.
//!
//! The span also carries our edition, so `::cache_runtime` means the crate in a caller of any edition.

const SITE: &str = "__CACHE_SITE";
const DOOR: &str = "__cache";

/// `quote!` with the span of generated code.
macro_rules! generated {
    ($($tokens:tt)*) => {
        ::quote::quote_spanned! { ::proc_macro2::Span::mixed_site() => $($tokens)* }
    };
}
pub(crate) use generated;

/// The identifier of the site's static.
pub(crate) fn site() -> proc_macro2::Ident {
    proc_macro2::Ident::new(SITE, proc_macro2::Span::mixed_site())
}

/// The identifier of the runtime's door.
pub(crate) fn door() -> proc_macro2::Ident {
    proc_macro2::Ident::new(DOOR, proc_macro2::Span::mixed_site())
}
