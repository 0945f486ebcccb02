//! `l1` and `l2` together.

use super::Input;
use crate::diagnostics::Errors;
use crate::options::Argument;

/// Something must be left to store in.
pub(crate) fn check(input: &Input, errors: &mut Errors) {
    let off = |tier| {
        let setting = input.options.setting(tier);
        setting.is_some_and(|setting| matches!(setting.argument, Argument::Nothing))
    };
    if !off("l1") || !off("l2") {
        return;
    }
    if let Some(later) = input.options.later("l1", "l2") {
        let earlier = if later == "l1" { "l2" } else { "l1" };
        errors.at(
            later.span(),
            format_args!(
                "`{later} = false` beside `{earlier} = false` leaves nothing to cache in: keep one tier"
            ),
        );
    }
}
