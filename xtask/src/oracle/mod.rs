//! `cargo xtask oracle`: the promise, that a read after an eviction never returns what was loaded before it, put to the test.
//!
//! Level 1 runs random schedules of several processes against a model of Redis; level 2 runs real processes on a real server, which are
//! killed, stopped and cut off, or whose servers and networks are (`--server`); both count violations. Level 3 breaks the code, one guard at a time, and sees that something fails.
//! `--level 1 --exhaustive` walks every schedule of small configurations instead. Levels 1 and 2 are part of `cargo xtask test`: as many schedules as a machine of two cores does in a minute, and half a minute of processes.

mod mutate;
mod mutations;
mod options;
mod tree;
mod trials;

use options::{Level, Options};

pub(crate) const USAGE: &str = "cargo xtask oracle --level 1|2|3 [--seconds N] [--seed S] [--server standalone|proxy|sentinel|cluster] [--exhaustive] [--only NAME] [--json]";

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let options = Options::read(arguments)?;
    match options.level {
        Level::Schedules if options.exhaustive => trials::walk(&options),
        Level::Schedules => trials::run(&trials::SCHEDULES, &options),
        Level::Processes => trials::run(&trials::PROCESSES, &options),
        Level::Mutations => mutate::run(&options),
    }
}
