//! `secret(…)`: arguments that a key shows only as a digest.
//!
//! Readers, evictions and puts must all say so, or they speak of different keys; the rules are the same for all three.

use proc_macro2::Ident;

use super::Input;
use super::value::placeholder::Placeholder;
use super::value::template::Template;
use crate::diagnostics::Errors;

/// A secret is a secret wherever the placeholder can see it, not only at its root.
pub(crate) fn is_secret(placeholder: &Placeholder, secret: &[Ident]) -> bool {
    secret
        .iter()
        .any(|name| placeholder.mentions(&name.to_string()))
}

/// Every secret is an argument, and is in one of `templates` if there are any.
pub(crate) fn check(input: &Input, templates: &[Template], errors: &mut Errors) {
    let (arguments, options) = (&input.function.arguments, &input.options);
    for name in options.names("secret") {
        if arguments.find(&name.to_string()).is_none() {
            errors.at(
                name.span(),
                format_args!("no argument is called `{name}`: {}", arguments.instead()),
            );
        } else if !templates.is_empty() && options.are_complete() && !is_used(name, templates) {
            let field = if name == "self" { ".…" } else { "" };
            errors.at(name.span(), format_args!("`{name}` is in no template: write `{{{name}{field}}}` in one, or leave it out here"));
        }
    }
}

/// A secret that is in no template is a mistake, most likely in the template.
fn is_used(name: &Ident, templates: &[Template]) -> bool {
    templates
        .iter()
        .flat_map(Template::placeholders)
        .any(|placeholder| is_secret(placeholder, std::slice::from_ref(name)))
}
