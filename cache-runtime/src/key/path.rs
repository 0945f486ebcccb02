//! The path of an instantiation as the first segment of a default key.
//!
//! The compiler's name of a closure in the body tells module, type and generics apart, but it also tells how deep the
//! closure is (`::{{closure}}`) and, by newer compilers, where lifetimes were erased (`'_`). Neither names another function,
//! so both are dropped; otherwise default keys would go cold with the compiler or with a line of the expansion. `::` is
//! written `.`, so the path stays one segment.

use super::escape::{Colon, escape};
use super::text::{Full, Text};

const CLOSURE: &str = "::{{closure}}";
const ERASED: &str = "'_";

/// Appends `path` as one segment.
pub(super) fn push_path(text: &mut Text, path: &str) -> Result<(), Full> {
    let mut rest = path;
    while let Some(outer) = rest.strip_suffix(CLOSURE) {
        rest = outer;
    }
    while let Some(at) = rest.find([':', '\'', '<']) {
        escape(text, &rest[..at], Colon::IsData)?;
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("::") {
            text.push(".")?;
            rest = after;
        } else if let Some(after) = after_erased(rest) {
            rest = after;
        } else {
            escape(text, &rest[..1], Colon::IsData)?;
            rest = &rest[1..];
        }
    }
    escape(text, rest, Colon::IsData)
}

/// What follows erased lifetimes, with the brackets or the separator they leave empty. `'_'` is a constant, not a lifetime.
fn after_erased(rest: &str) -> Option<&str> {
    if let Some(mut inside) = rest.strip_prefix('<') {
        while let Some(after) = after_erased(inside).filter(|_| inside.starts_with(ERASED)) {
            inside = after;
        }
        return inside.strip_prefix('>').filter(|_| rest.starts_with("<'"));
    }
    let after = rest
        .strip_prefix(ERASED)
        .filter(|after| !after.starts_with('\''))?;
    Some(
        after
            .strip_prefix(", ")
            .or_else(|| after.strip_prefix(' '))
            .unwrap_or(after),
    )
}

#[cfg(test)]
mod tests {
    use super::push_path;
    use crate::key::text::Text;

    fn segment(path: &str) -> String {
        let mut text = Text::new(usize::MAX);
        push_path(&mut text, path).unwrap();
        text.as_str().to_owned()
    }

    #[test]
    fn is_readable_and_one_segment() {
        assert_eq!(
            segment("shop::Repo<shop::User>::get::{{closure}}::{{closure}}"),
            "shop.Repo<shop.User>.get"
        );
        assert_eq!(
            segment("<shop::User as shop::Load>::load::{{closure}}"),
            "<shop.User%20as%20shop.Load>.load"
        );
        assert!(!segment("shop::get<[u8; 3], dyn A<B: C>>").contains(':'));
    }

    #[test]
    fn erased_lifetimes_leave_no_trace() {
        assert_eq!(segment("t::R<'_, u8>::get"), "t.R<u8>.get");
        assert_eq!(segment("<t::L<'_> as t::Tr>::m"), "<t.L%20as%20t.Tr>.m");
        assert_eq!(segment("t::g<&'_ u8>"), segment("t::g<&u8>"));
        assert_eq!(segment("t::R<'_, '_>::get"), "t.R.get");
        assert_eq!(segment("t::g<t::L<'_>, u8>"), "t.g<t.L%2C%20u8>");
    }

    #[test]
    fn constants_that_look_like_lifetimes_stay_apart() {
        assert_ne!(segment("t::c<'a'>"), segment("t::c<'b'>"));
        assert_ne!(segment("t::c<'_'>"), segment("t::c<'a'>"));
    }

    #[test]
    fn what_the_compiler_prints_is_understood() {
        struct Borrowed<'a>(&'a u8);
        impl Borrowed<'_> {
            fn name(&self) -> &'static str {
                let _ = self.0;
                std::any::type_name_of_val(&|| {})
            }
        }
        let segment = segment(Borrowed(&1).name());
        assert!(
            segment.ends_with("what_the_compiler_prints_is_understood.Borrowed.name"),
            "{segment}"
        );
    }
}
