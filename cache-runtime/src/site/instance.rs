//! Which instantiation of a generic function a call is.
//!
//! Two instantiations under one explicit key must not read each other's entries, while a put and a load of
//! the same types should, whatever their functions are called. The compiler's name of a closure in the body has
//! it all, `<shop::Repo<u8> as shop::Table>::row<'_, u16>`: what counts is what was filled in, which is the `Self` of a trait's
//! method and the arguments in angle brackets. Names of functions and traits do not count, nor do lifetimes, which
//! say nothing about a value.

use crate::key;

/// The path of the function whose body made a closure: module, type, generic arguments, and `::{{closure}}` for each closure around it.
///
/// Asked at every call, so it is taken as it comes.
#[inline]
pub fn instance<F>(_: &F) -> &'static str {
    std::any::type_name::<F>()
}

/// FNV-1a of what was filled in; unspecified where nothing was.
pub(super) fn fingerprint(instance: &str) -> u64 {
    let filled_in = filled_in(&without_lifetimes(instance));
    if filled_in.is_empty() {
        key::UNSPECIFIED
    } else {
        key::fingerprint(&filled_in)
    }
}

/// The function as its statistics name it: its path with the type it belongs to, without what was filled in.
pub(super) fn name(instance: &str) -> String {
    let brackets: Vec<_> = brackets(instance).map(|(at, _)| at).collect();
    let mut name = String::with_capacity(instance.len());
    let (mut depth, mut leading) = (0_usize, instance.starts_with('<'));
    for (at, c) in instance.char_indices() {
        let is_bracket = brackets.binary_search(&at).is_ok();
        if is_bracket && c == '<' {
            depth += 1;
        }
        // The first level of `<Type as Trait>::function` is part of the name.
        if depth <= usize::from(leading) {
            name.push(c);
        }
        if is_bracket && c == '>' {
            depth = depth.saturating_sub(1);
            leading &= depth > 0;
        }
    }
    name.replace("::{{closure}}", "")
}

/// The outermost groups of angle brackets, without the names between them.
fn filled_in(path: &str) -> String {
    let mut kept = String::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, c) in brackets(path) {
        if c == '<' {
            start = if depth == 0 { at } else { start };
            depth += 1;
            continue;
        }
        depth = depth.saturating_sub(1);
        if depth == 0 {
            let group = &path[start..=at];
            match group.rsplit_once(" as ").filter(|_| start == 0) {
                Some((implementer, of)) => {
                    kept.push_str(implementer);
                    kept.push_str(of.find('<').map_or(">", |arguments| &of[arguments..]));
                }
                None if group != "<>" => kept.push_str(group),
                None => {}
            }
        }
    }
    kept
}

/// Where angle brackets open and close: not in the arrow of a function's type, nor in a `char` argument.
fn brackets(path: &str) -> impl Iterator<Item = (usize, char)> {
    path.char_indices().filter(|&(at, c)| {
        let arrow = path[..at].ends_with('-');
        let quoted = path[..at].ends_with('\'') && path[at + c.len_utf8()..].starts_with('\'');
        matches!(c, '<' | '>') && !arrow && !quoted
    })
}

fn without_lifetimes(path: &str) -> String {
    let mut kept = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(quote) = rest.find('\'') {
        kept.push_str(&rest[..quote]);
        rest = &rest[quote..];
        let literal = char_literal(rest);
        kept.push_str(&rest[..literal]);
        if literal == 0 {
            let named = |c: char| c.is_alphanumeric() || c == '_';
            rest = rest[1..].trim_start_matches(named);
            rest = rest.strip_prefix(", ").unwrap_or(rest);
        } else {
            rest = &rest[literal..];
        }
    }
    kept.push_str(rest);
    kept
}

/// The length of the `char` that `text` begins with, quotes included; zero where the quote begins a lifetime.
fn char_literal(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    let escaped = chars.next().is_some_and(|(_, c)| c == '\\');
    if escaped {
        chars.next();
        return chars.find(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 1);
    }
    chars
        .next()
        .filter(|(_, c)| *c == '\'')
        .map_or(0, |(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::{fingerprint, instance, name};

    struct Repo<T>(std::marker::PhantomData<T>);

    impl<T> Repo<T> {
        fn load() -> &'static str {
            instance(&|| {})
        }
    }

    fn plain() -> &'static str {
        instance(&|| {})
    }

    fn generic<T, const N: usize>(_: [T; N]) -> &'static str {
        instance(&|| {})
    }

    fn marked<const C: char>() -> &'static str {
        instance(&|| {})
    }

    #[test]
    fn an_instantiation_is_named_with_its_type_and_arguments() {
        assert!(
            plain().ends_with("site::instance::tests::plain::{{closure}}"),
            "{}",
            plain()
        );
        let load = Repo::<u8>::load();
        assert!(load.ends_with("Repo<u8>::load::{{closure}}"), "{load}");
        assert!(generic([0u8; 7]).ends_with("generic<u8, 7>::{{closure}}"));
    }

    #[test]
    fn counters_are_named_by_type_and_function() {
        assert_eq!(name("shop::product"), "shop::product");
        assert_eq!(
            name("shop::Repo<shop::User>::get<'_, 7>"),
            "shop::Repo::get"
        );
        assert_eq!(
            name("<shop::Repo<u8> as shop::Table<u16>>::row<'_>"),
            "<shop::Repo as shop::Table>::row"
        );
        assert_eq!(name("shop::main::{{closure}}::inner"), "shop::main::inner");
        assert_ne!(name("shop::User::load"), name("shop::Order::load"));
    }

    #[test]
    fn what_is_filled_in_makes_a_fingerprint() {
        assert_eq!(fingerprint(plain()), 0);
        assert_ne!(fingerprint(Repo::<u8>::load()), 0);
        assert_ne!(
            fingerprint(Repo::<u8>::load()),
            fingerprint(Repo::<u16>::load())
        );
        assert_ne!(fingerprint("a::one<u8, 7>"), fingerprint("a::one<u8, 8>"));
        let (one, other) = ("<a::A as T>::x", "<a::B as T>::x");
        assert_ne!(fingerprint(one), fingerprint(other));
        let (one, other) = ("<a::A as T<u8>>::x", "<a::A as T<u16>>::x");
        assert_ne!(fingerprint(one), fingerprint(other));
        let marks = [
            marked::<'a'>(),
            marked::<'b'>(),
            marked::<'<'>(),
            marked::<'>'>(),
            marked::<'\''>(),
            marked::<'\n'>(),
        ];
        let marks: std::collections::BTreeSet<_> = marks.map(fingerprint).into();
        assert_eq!(marks.len(), 6);
        assert!(!marks.contains(&0));
    }

    #[test]
    fn names_and_lifetimes_make_none() {
        for path in ["a::Repo<'_>::get", "a::get<'_, '_>", "a::get", "a::get<'a>"] {
            assert_eq!(fingerprint(path), 0, "{path}");
        }
        let same = [
            ("a::Repo<u8>::get", "b::Repo<u8>::put"),
            ("a::Repo<'_, u8>::get", "b::Repo<u8>::put"),
            ("a::Repo<u8>::get<u16>", "a::Repo<u8>::put<u16>"),
            ("<a::A as b::T>::get<'_, '_>", "<a::A as b::T>::put<'_>"),
            ("<a::A as b::Reads>::get", "<a::A as b::Writes>::put"),
            ("a::get<fn(u8) -> u8>", "a::put<fn(u8) -> u8>"),
        ];
        for (one, other) in same {
            assert_eq!(fingerprint(one), fingerprint(other), "{one} {other}");
            assert_ne!(fingerprint(one), 0);
        }
    }
}
