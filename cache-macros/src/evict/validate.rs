//! Whether the options fit the function.

use proc_macro2::Span;

use crate::diagnostics::Errors;
use crate::options::Options;
use crate::source::value::template::{Kind, Piece, Template};
use crate::source::{Input, result, secret};

/// The options that say what to evict.
const TARGETS: [&str; 7] = ["key", "keys", "pattern", "region", "scope", "tags", "all"];

pub(super) fn check(input: &Input, errors: &mut Errors) {
    let options = &input.options;
    if TARGETS.iter().all(|target| options.lacks(target)) {
        errors.at(
            Span::call_site(),
            "`cache_evict` needs something to evict: write `key = \"product:{id}\"`, `tags = \"owner:{id}\"`, `region = \"products\"` or `all`",
        );
    }
    if let Some(other) = input.function.sibling(&["cacheable"]) {
        errors.at(
            other.span(),
            "`cacheable` cannot stand beside `cache_evict`: a hit would not run the body; put the eviction on the function that writes",
        );
    }
    let templates: Vec<_> = options
        .every_template()
        .map(|(_, template)| template.clone())
        .collect();
    result::check(input, &templates, errors);
    secret::check(input, &templates, errors);
    before(options, errors);
    globs(options, errors);
    scope(options, errors);
    hold(options, errors);
}

/// Before the body there is no value to evict by.
fn before(options: &Options, errors: &mut Errors) {
    let mut targets = super::targets(options).peekable();
    if let Some(before) = options.name("before")
        && targets.peek().is_some()
        && targets.all(|(_, template)| result::uses_result(template))
    {
        errors.at(
            before.span(),
            "`before` has nothing to evict, because every template uses `{result}`: leave it out",
        );
    }
}

/// A `*` in a key is a character, which nobody who writes it means.
fn globs(options: &Options, errors: &mut Errors) {
    let keys = options
        .every_template()
        .filter(|(kind, _)| *kind == Kind::Key);
    for (_, template) in keys {
        if template
            .pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Text(text) if text.contains('*')))
        {
            let text = template.literal.value();
            errors.at(
                template.literal.span(),
                format_args!("a `*` in a key is a plain character: write `pattern = \"{text}\"`"),
            );
        }
    }
}

/// The scope of a key is rendered with it, and has no room left for the value.
fn scope(options: &Options, errors: &mut Errors) {
    if let Some(scope) = super::scope_of_keys(options).filter(|scope| result::uses_result(scope)) {
        errors.at(
            scope.literal.span(),
            "the scope of a key cannot use `{result}`: write it over the arguments, or without `key` to evict everything of the scope",
        );
    }
}

/// A hold on a pattern is a hold on its region, and there must be no more to it than that.
fn hold(options: &Options, errors: &mut Errors) {
    if options.name("hold").is_none() {
        return;
    }
    let unknown = options
        .every_template()
        .filter(|(kind, template)| *kind == Kind::Pattern && !is_region(template));
    for (_, template) in unknown {
        errors.at(
            template.literal.span(),
            "`hold` has to know what it holds, and what this pattern reaches is not known without a scan: write `key`, `tags`, `region`, `all`, or a pattern whose only glob is a `:*` at its end",
        );
    }
}

/// Whether a pattern is `literal:*`. A `\` or an unclosed `[` counts as a glob: nobody needs them in a region.
fn is_region(pattern: &Template) -> bool {
    let Some((Piece::Text(last), before)) = pattern.pieces.split_last() else {
        return false;
    };
    let Some(literal) = last.strip_suffix(":*") else {
        return false;
    };
    let plain = |text: &str| !text.contains(['*', '?', '[', '\\']);
    let named = !literal.is_empty() || !before.is_empty();
    let plain_before = |piece: &Piece| {
        matches!(piece, Piece::Placeholder(_)) || matches!(piece, Piece::Text(text) if plain(text))
    };
    named && plain(literal) && before.iter().all(plain_before)
}

#[cfg(test)]
mod tests {
    use syn::LitStr;

    use super::*;
    use crate::source::value::placeholder::Scope;

    #[test]
    fn a_pattern_is_a_region_if_its_only_glob_stands_behind_its_last_colon() {
        for (text, region) in [
            ("products:*", true),
            ("products:list:{page * 2}:*", true),
            ("{shop}:*", true),
            ("*", false),
            (":*", false),
            ("products*", false),
            ("products:{id}*", false),
            ("products:*:x", false),
            ("*:products:*", false),
            ("product?:*", false),
            ("products:[ab]:{id}:*", false),
            ("a*:{id}:*", false),
            ("products\\:*", false),
            ("products:{id}", false),
        ] {
            let mut errors = Errors::new();
            let literal = LitStr::new(text, Span::call_site());
            let read = Template::read(&literal, Kind::Pattern, Scope::Caller, &mut errors);
            assert!(errors.finish().is_none(), "{text}");
            assert_eq!(is_region(&read.expect(text)), region, "{text}");
        }
    }
}
