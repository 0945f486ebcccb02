//! `cargo xtask check`: what can be said about the code without running it.

use crate::bench;
use crate::components;
use crate::run::Step;

/// Formatting first, because it takes a second and fails most often; the build without features last, because it
/// shares no artefacts with the rest.
pub(crate) fn run() -> Result<(), String> {
    components::ensure()?;
    steps().iter().try_for_each(Step::run)
}

fn steps() -> [Step; 7] {
    [
        Step::cargo(&["fmt", "--all", "--check"]),
        // Workspaces of their own.
        Step::cargo(&["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]),
        Step::cargo(&[
            "fmt",
            "--manifest-path",
            bench::MANIFEST,
            "--all",
            "--check",
        ]),
        Step::cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--",
            "-D",
            "warnings",
        ]),
        bench::lints(),
        Step::cargo(&["doc", "--workspace", "--all-features", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings"),
        // The memory tier alone is a supported build, and the one that breaks unnoticed.
        Step::cargo(&[
            "clippy",
            "--package",
            "cache-runtime",
            "--no-default-features",
            "--",
            "-D",
            "warnings",
        ]),
    ]
}
