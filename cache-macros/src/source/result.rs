//! `{result…}`: the value in a template.

use super::Input;
use super::secret::is_secret;
use super::value::placeholder::Placeholder;
use super::value::template::Template;
use crate::diagnostics::Errors;

/// Whether a template uses the value.
pub(crate) fn uses_result(template: &Template) -> bool {
    template.placeholders().any(is_late)
}

/// Whether a placeholder uses the value.
pub(crate) fn is_late(placeholder: &Placeholder) -> bool {
    placeholder.mentions("result")
}

/// Reports what stands in the way of a template that uses the value.
pub(crate) fn check(input: &Input, templates: &[Template], errors: &mut Errors) {
    let Some(template) = templates.iter().find(|template| uses_result(template)) else {
        return;
    };
    let mut bindings = input.function.arguments.bindings();
    if let Some(argument) = bindings.find(|binding| *binding == "result") {
        errors.at(
            argument.span(),
            "`{result}` in a template is the returned value: give the argument another name",
        );
    }
    secret_beside(input, templates, errors);
    if input.function.returns.is_opaque() {
        errors.at(
            template.literal.span(),
            "`{result}` needs a return type that can be named: write it instead of `impl …`",
        );
    }
}

/// What is filled in after the body is no longer digested, and would show the secret.
fn secret_beside(input: &Input, templates: &[Template], errors: &mut Errors) {
    let secret = input.options.names("secret");
    for template in templates {
        let mut late = template
            .placeholders()
            .filter(|placeholder| is_late(placeholder));
        if late.any(|placeholder| is_secret(placeholder, secret)) {
            errors.at(
                template.literal.span(),
                "a placeholder that uses `result` cannot hide a `secret` argument: give each a placeholder of its own",
            );
        }
    }
}
