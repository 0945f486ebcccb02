//! `l1` and `l2` together.

use proc_macro2::Ident;

use super::Input;
use crate::diagnostics::Errors;
use crate::options::Argument;

/// Something must be left to store in.
pub(crate) fn check(input: &Input, errors: &mut Errors) {
    let (Some(l1), Some(l2)) = (off(input, "l1"), off(input, "l2")) else {
        return;
    };
    let last = input
        .options
        .given
        .iter()
        .map(|given| &given.name)
        .rfind(|name| *name == l1 || *name == l2);
    let (later, earlier) = if last == Some(l1) { (l1, l2) } else { (l2, l1) };
    errors.at(
        later.span(),
        format_args!(
            "`{later} = false` beside `{earlier} = false` leaves nothing to cache in: keep one tier"
        ),
    );
}

fn off<'a>(input: &'a Input, tier: &str) -> Option<&'a Ident> {
    let setting = input.options.setting(tier)?;
    matches!(setting.argument, Argument::Nothing).then(|| input.options.name(tier))?
}
