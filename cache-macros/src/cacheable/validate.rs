//! Whether the options fit the function.

use crate::diagnostics::Errors;
use crate::options::{Argument, Macro};
use crate::source::arguments::Argument as Bound;
use crate::source::value::template::Template;
use crate::source::{Input, owned, pieces, result, secret, tags, tiers};

pub(super) fn check(input: &Input, errors: &mut Errors) {
    input
        .function
        .returns
        .check_storable(Macro::Cacheable, errors);
    siblings(input, errors);
    skipped(input, errors);
    labels(input, errors);
    if input.options.lacks("key") {
        default_key(input, errors);
    }
    tiers::check(input, errors);
    waiting(input, errors);
    timeouts(input, errors);
    owned::check(input, errors);
    receiver_in_texts(input, errors);
}

/// A hit would skip the write that the other attribute is about.
fn siblings(input: &Input, errors: &mut Errors) {
    if let Some(other) = input.function.sibling(&["cache_evict", "cache_put"]) {
        errors.at(
            other.span(),
            format_args!("`{other}` cannot stand beside `cacheable`: a hit would not run the body; put it on the function that writes"),
        );
    }
    if let Some(other) = input.function.sibling(&["cacheable"]) {
        errors.at(other.span(), "`cacheable` is given twice: keep one");
    }
}

/// Tags may wait for the value; a secret is in the key, in a tag or in the scope.
fn labels(input: &Input, errors: &mut Errors) {
    let options = &input.options;
    result::check(input, options.templates("tags"), errors);
    tags::check(input, errors);
    // The default key has them all.
    let by_default = options.templates("key").is_empty();
    let templates: Vec<Template> = options
        .every_template()
        .filter(|_| !by_default)
        .map(|(_, template)| template.clone())
        .collect();
    secret::check(input, &templates, errors);
}

/// `skip` names arguments, and none of the secret ones.
fn skipped(input: &Input, errors: &mut Errors) {
    let (arguments, options) = (&input.function.arguments, &input.options);
    for name in options.names("skip") {
        if arguments.find(&name.to_string()).is_none() {
            errors.at(
                name.span(),
                format_args!("no argument is called `{name}`: {}", arguments.instead()),
            );
        }
    }
    for name in options.names("secret") {
        if options.names("skip").contains(name) {
            errors.at(
                name.span(),
                format_args!("`{name}` cannot be `skip`ped and `secret`: keep one of the two"),
            );
        }
    }
}

/// A default key needs a name for every part of it, and cannot tell one receiver from another.
fn default_key(input: &Input, errors: &mut Errors) {
    let (arguments, options) = (&input.function.arguments, &input.options);
    let skips_receiver = options.names("skip").iter().any(|name| name == "self");
    if let Some(receiver) = &arguments.receiver
        && !skips_receiver
    {
        errors.at(
            receiver.span,
            "a method needs `key = \"{self.…}:{…}\"`, or `skip(self)` if every receiver may share the entries: a default key cannot tell them apart",
        );
    }
    for (name, cfg) in &arguments.conditional {
        if !options.names("skip").contains(name) {
            errors.on(cfg, format_args!("a default key cannot tell whether `{name}` is there: write `key`, or `skip({name})`"));
        }
    }
    for argument in &arguments.list {
        if let Bound::Pattern(pattern, _) = argument {
            errors.on(pattern, "a default key names every argument: bind the argument to a name and take it apart in the body, or write `key`");
        }
    }
}

/// Where nobody waits there is nothing to limit.
fn waiting(input: &Input, errors: &mut Errors) {
    let protection = input
        .options
        .setting("stampede_protection")
        .map(|setting| &setting.argument);
    if let (Some(Argument::Variant(_, "Off")), Some(name)) =
        (protection, input.options.name("wait_timeout"))
    {
        errors.at(name.span(), "`wait_timeout` cannot stand beside `stampede_protection = \"off\"`: nobody waits there");
    }
}

/// A stale value that is to come before the end of a call comes before it.
fn timeouts(input: &Input, errors: &mut Errors) {
    let options = &input.options;
    let length = |name| match options.setting(name)?.argument {
        Argument::Duration(length) => Some(length),
        _ => None,
    };
    let (soft, hard) = (length("soft_timeout"), length("hard_timeout"));
    if let (Some(soft), Some(hard)) = (soft, hard)
        && soft >= hard
        && let Some(later) = options.later("soft_timeout", "hard_timeout")
    {
        errors.at(
            later.span(),
            "`soft_timeout` is not shorter than `hard_timeout`, and would never come: make it shorter, or leave it out",
        );
    }
}

/// The receiver has another name in a load that may outlive the call, and a text cannot be changed.
fn receiver_in_texts(input: &Input, errors: &mut Errors) {
    let (function, Some(option)) = (&input.function, input.options.outliving()) else {
        return;
    };
    if function.arguments.receiver.is_none() {
        return;
    }
    if let Some(text) = pieces::text_with_receiver(function.body.clone()) {
        errors.at(
            text,
            format_args!("`{option}` gives the body a receiver of its own, which a text cannot name: write it behind the text, as in `format!(\"{{}}\", self)`, or give it a name with `let`"),
        );
    }
}
