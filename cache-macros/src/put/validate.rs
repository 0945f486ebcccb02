//! Whether the options fit the function.

use crate::diagnostics::Errors;
use crate::options::Macro;
use crate::source::value::template::{Kind, Template};
use crate::source::{Input, result, secret, tags, tiers};

pub(super) fn check(input: &Input, errors: &mut Errors) {
    input.function.returns.check_storable(Macro::Put, errors);
    if input.options.lacks("key") {
        errors.at(
            proc_macro2::Span::call_site(),
            "`cache_put` needs the key that readers use: write `key = \"product:{id}\"`",
        );
    }
    if let Some(other) = input.function.sibling(&["cacheable"]) {
        errors.at(
            other.span(),
            "`cacheable` cannot stand beside `cache_put`: a hit would not run the body",
        );
    }
    let templates = |which: &[Kind]| -> Vec<Template> {
        let every = input.options.every_template();
        let those = every.filter(|(kind, _)| which.contains(kind));
        those.map(|(_, template)| template.clone()).collect()
    };
    result::check(input, &templates(&[Kind::Key, Kind::Tag]), errors);
    tags::check(input, errors);
    secret::check(
        input,
        &templates(&[Kind::Key, Kind::Tag, Kind::Scope]),
        errors,
    );
    tiers::check(input, errors);
}
