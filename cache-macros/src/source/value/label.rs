//! Tags and regions: texts that would be read as characters, though nobody who writes them means that.
//!
//! A label is matched whole. A glob in it, or a second copy of it, would do nothing at run time and say nothing either; what
//! does nothing is a mistake here. In a scope every character may be one of a user's own names.

use super::template::{Kind, Piece, Template};
use crate::diagnostics::Errors;

/// Reports what is wrong with the text of one label.
pub(super) fn check(kind: Kind, template: &Template, errors: &mut Errors) {
    let message = match kind {
        Kind::Tag => tag(template),
        Kind::Region => region(template),
        Kind::Key | Kind::Pattern | Kind::Scope => None,
    };
    if let Some(message) = message {
        errors.at(template.literal.span(), message);
    }
}

/// Reports labels that stand in a list already.
pub(super) fn check_list(kind: Kind, templates: &[Template], errors: &mut Errors) {
    if !matches!(kind, Kind::Tag | Kind::Region) {
        return;
    }
    for (at, template) in templates.iter().enumerate() {
        let same = |earlier: &Template| earlier.literal.value() == template.literal.value();
        if templates[..at].iter().any(same) {
            let text = template.literal.value();
            errors.at(
                template.literal.span(),
                format_args!("`{text}` is in the list already: keep one"),
            );
        }
    }
}

fn tag(template: &Template) -> Option<String> {
    has_star(template).then(|| {
        "a tag is matched whole, and a `*` in it is a plain character: write each tag, or give the entries one that they share".to_owned()
    })
}

fn region(template: &Template) -> Option<String> {
    let text = template.literal.value();
    if let Some(whole) = text.strip_suffix(":*").filter(|whole| !whole.contains('*')) {
        return Some(format!(
            "a region is everything below its name: write `region = \"{whole}\"`"
        ));
    }
    if has_star(template) {
        return Some(format!(
            "a `*` in a region is a plain character: write `pattern = \"{text}\"`"
        ));
    }
    text.strip_suffix(':').map(|name| {
        format!("a region is named without the `:` behind it: write `region = \"{name}\"`")
    })
}

fn has_star(template: &Template) -> bool {
    let star = |piece: &Piece| matches!(piece, Piece::Text(text) if text.contains('*'));
    template.pieces.iter().any(star)
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;
    use syn::LitStr;

    use super::*;
    use crate::source::value::placeholder::Scope;

    fn read(text: &str) -> Template {
        let (literal, mut errors) = (LitStr::new(text, Span::call_site()), Errors::new());
        let template = Template::read(&literal, Kind::Key, Scope::Caller, &mut errors);
        assert!(errors.finish().is_none(), "{text}");
        template.expect(text)
    }

    #[test]
    fn a_region_says_what_to_write_instead_of_a_glob() {
        for (text, instead) in [
            ("products:list", None),
            ("products:{a * b}", None),
            ("products:list:*", Some("`region = \"products:list\"`")),
            ("products:*:list", Some("`pattern = \"products:*:list\"`")),
            ("products:*:*", Some("`pattern = \"products:*:*\"`")),
            ("*", Some("`pattern = \"*\"`")),
            ("products:", Some("`region = \"products\"`")),
        ] {
            let message = region(&read(text));
            assert_eq!(message.is_some(), instead.is_some(), "{text}: {message:?}");
            let said = message.unwrap_or_default();
            assert!(said.contains(instead.unwrap_or_default()), "{text}: {said}");
        }
    }

    #[test]
    fn a_tag_has_no_globs_but_may_multiply() {
        assert!(tag(&read("owner:*")).is_some());
        assert!(tag(&read("owner:{a * b}")).is_none());
    }
}
