//! clippy and rustfmt, which a minimal toolchain lacks.

use crate::run::{Step, on_path};

/// Adds the components that are missing, or says how to.
pub(crate) fn ensure() -> Result<(), String> {
    for (subcommand, component) in [("clippy", "clippy"), ("fmt", "rustfmt")] {
        if Step::cargo(&[subcommand, "--version"]).succeeds() {
            continue;
        }
        if on_path("rustup").is_none() {
            return Err(format!(
                "`cargo {subcommand}` is missing and there is no rustup to add it with; install your \
                 distribution's `{component}` package"
            ));
        }
        Step::new("rustup", &["component", "add", component]).run()?;
    }
    Ok(())
}
