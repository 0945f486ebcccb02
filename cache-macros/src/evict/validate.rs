//! Whether the options fit the function.

use proc_macro2::Span;

use crate::diagnostics::Errors;
use crate::options::{Options, Value};
use crate::source::value::template::{Kind, Piece, Template};
use crate::source::{Input, result, secret};

/// The options that say what to evict.
const TARGETS: [&str; 4] = ["key", "keys", "pattern", "all"];

pub(super) fn check(input: &Input, errors: &mut Errors) {
    let options = &input.options;
    if TARGETS.iter().all(|target| options.lacks(target)) {
        errors.at(
            Span::call_site(),
            "`cache_evict` needs something to evict: write `key = \"product:{id}\"`, `pattern = \"products:*\"` or `all`",
        );
    }
    if let Some(other) = input.function.sibling(&["cacheable"]) {
        errors.at(
            other.span(),
            "`cacheable` cannot stand beside `cache_evict`: a hit would not run the body; put the eviction on the function that writes",
        );
    }
    let templates: Vec<_> = templates(options)
        .map(|(_, template)| template.clone())
        .collect();
    result::check(input, &templates, errors);
    secret::check(input, &templates, errors);
    before(options, &templates, errors);
    globs(options, errors);
}

fn templates(options: &Options) -> impl Iterator<Item = (Kind, &Template)> {
    options.given.iter().flat_map(|given| match &given.value {
        Value::Templates(kind, templates) => {
            templates.iter().map(|template| (*kind, template)).collect()
        }
        _ => Vec::new(),
    })
}

/// Before the body there is no value to evict by.
fn before(options: &Options, templates: &[Template], errors: &mut Errors) {
    if let Some(before) = options.name("before")
        && !templates.is_empty()
        && templates.iter().all(result::uses_result)
    {
        errors.at(
            before.span(),
            "`before` has nothing to evict, because every template uses `{result}`: leave it out",
        );
    }
}

/// A `*` in a key is a character, which nobody who writes it means.
fn globs(options: &Options, errors: &mut Errors) {
    let keys = templates(options).filter(|(kind, _)| *kind == Kind::Key);
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
