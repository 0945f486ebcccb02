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
