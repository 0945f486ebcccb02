//! `cargo xtask bench`: the comparison with other libraries, and the page it writes.
//!
//! The benchmark is a workspace of its own, so that what it compares with never weighs on a user; this only starts it.

use crate::run::Step;

pub(crate) const MANIFEST: &str = "benches/Cargo.toml";

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let start = [
        "run",
        "--release",
        "--locked",
        "--manifest-path",
        MANIFEST,
        "--package",
        "runner",
        "--",
    ];
    let arguments: Vec<&str> = start
        .into_iter()
        .chain(arguments.iter().map(String::as_str))
        .collect();
    Step::cargo(&arguments).run()
}

/// Of what is this project's own in it: the peers take minutes to build, and change only when somebody changes them.
pub(crate) fn lints() -> Step {
    let packages = [
        "--package",
        "common",
        "--package",
        "runner",
        "--package",
        "bench-ours",
        "--package",
        "bench-ours-redis",
    ];
    let start = [
        "clippy",
        "--locked",
        "--manifest-path",
        MANIFEST,
        "--all-targets",
    ];
    Step::cargo(&[&start[..], &packages, &["--", "-D", "warnings"]].concat())
}

/// The tests of what counts and writes; nothing is measured.
pub(crate) fn briefly() -> Result<(), String> {
    let packages = ["--package", "common", "--package", "runner"];
    Step::cargo(
        &[
            &["test", "--locked", "--manifest-path", MANIFEST][..],
            &packages,
        ]
        .concat(),
    )
    .run()
}
