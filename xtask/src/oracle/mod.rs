//! `cargo xtask oracle`: the promise, that a read after an eviction never returns what was loaded before it, put to the test.
//!
//! Level 1 runs random schedules of several processes against a model of Redis and counts violations; level 3 breaks the code, one guard
//! at a time, and sees that something fails. Level 1 is part of `cargo xtask test`, for as many schedules as a machine of two cores does in a minute.

mod mutate;
mod mutations;
mod options;
mod schedules;

use options::{Level, Options};

pub(crate) const USAGE: &str =
    "cargo xtask oracle --level 1|3 [--seconds N] [--seed S] [--only NAME] [--json]";

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let options = Options::read(arguments)?;
    match options.level {
        Level::Schedules => schedules::run(&options),
        Level::Mutations => mutate::run(&options),
    }
}
