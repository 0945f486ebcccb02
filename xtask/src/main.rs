//! The task runner: `cargo xtask check`, `cargo xtask test`, `cargo xtask oracle`, `cargo xtask faults`,
//! `cargo xtask fuzz`, `cargo xtask bench`, `cargo xtask servers`, `cargo xtask instructions`, `cargo xtask screenshots`.
//!
//! Everything a machine must do to trust a change is one of the first two, so that a laptop, an empty clone and
//! the CI run the same thing. Tasks are plain functions that run other programs and stop at the first that fails;
//! what was run is echoed, so that any step can be repeated by hand.

mod bench;
mod check;
mod components;
mod faults;
mod fuzz;
mod instructions;
mod oracle;
mod packages;
mod run;
mod screenshots;
mod servers;
mod test;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask <task>

tasks:
  check   formatting, lints and documentation, warnings denied
  test    every test of the workspace; installs redis-server and a browser first if there are none
  oracle  the promise under random schedules (1), between processes that are killed and cut off (2),
          and the code without its guards (3):
          --level 1|2|3 [--seconds N] [--seed S] [--exhaustive] [--only NAME] [--json],
          with level 2 [--server standalone|proxy|sentinel|cluster]
  faults  the fault table: each row brought about, the measured figure beside the required one;
          [ROW…] [--json]
  fuzz    libFuzzer on what reads bytes from outside, a minute for each target:
          [TARGET…] [--seconds N]
  bench   every measure beside other libraries, into docs/performance.md:
          [--quick] [--json FILE] [--only MEASURE…], or --from FILE to write the page again
  servers the Redis tests against other versions of Redis and Valkey, got into the target folder:
          [NAME…]
  instructions
          what a call costs on each hot path, in instructions, beside what is recorded, and whether
          a hit waits for its own stores: [--record]
  screenshots
          pictures of the administration page under five minutes of load, into docs/admin";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["oracle", ..] => oracle::run(&arguments[1..]),
        ["faults", ..] => faults::run(&arguments[1..]),
        ["servers", ..] => servers::run(&arguments[1..]),
        ["bench", ..] => bench::run(&arguments[1..]),
        ["fuzz", ..] => fuzz::run(&arguments[1..]),
        ["instructions", ..] => instructions::run(&arguments[1..]),
        ["screenshots"] => screenshots::run(),
        ["check"] => check::run(),
        ["test"] => test::run(),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        [] => Err(USAGE.to_owned()),
        _ => Err(format!("unknown task `{}`\n\n{USAGE}", arguments.join(" "))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask: {reason}");
            ExitCode::FAILURE
        }
    }
}
