//! `tags` of a function that stores: what stands in the way of them.

use super::secret::is_secret;
use super::{Input, result};
use crate::diagnostics::Errors;

/// A tag that needs the value is rendered by a function that captures nothing: by then the body has taken the arguments.
pub(crate) fn check(input: &Input, errors: &mut Errors) {
    let (arguments, secret) = (&input.function.arguments, input.options.names("secret"));
    for template in input.options.templates("tags") {
        let mut late = template
            .placeholders()
            .filter(|placeholder| result::is_late(placeholder) && !is_secret(placeholder, secret));
        // An argument that is itself called `result` has been reported.
        let argument = late.find_map(|placeholder| {
            let argument = placeholder.argument(arguments);
            argument.filter(|name| name != "result")
        });
        if let Some(argument) = argument {
            errors.at(
                template.literal.span(),
                format_args!("what uses `result` is rendered after the body has taken `{argument}`: give each a placeholder of its own"),
            );
        }
    }
}
