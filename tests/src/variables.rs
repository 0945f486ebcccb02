//! What a run can be told by the environment.

use std::env;

/// The number in an environment variable that is set.
///
/// # Panics
/// If something else is in it.
pub fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is a number, not `{text}`")),
    )
}
