//! `cargo xtask test`: every test of the workspace, against real servers and in a real browser.
//!
//! The tests start and stop their own servers on free ports, and browsers; all they need is the programs. A test without them would
//! have to be skipped, and a skipped test looks like a passed one, so the programs are installed instead.

use std::thread;

use crate::run::{Step, on_path};
use crate::{bench, fuzz, instructions, packages, servers};

pub(crate) fn run() -> Result<(), String> {
    ensure_redis()?;
    ensure_browser()?;
    ensure_postgres()?;
    Step::tests(&[&ALL[..], &["--no-run"]].concat()).run()?;
    // The tests of what compiles and what does not keep one core busy for minutes, and most others wait or build; so they run beside the rest. Some of the rest look
    // at the time, and come first.
    thread::scope(|scope| {
        let ui = scope.spawn(|| {
            let ui = [&ALL[..], &["--test", "ui", "--config", LEAN]].concat();
            Step::tests(&ui).at_leisure().output()
        });
        let others = others();
        let (passed, told) = ui
            .join()
            .map_err(|_| "the tests of what compiles could not be waited for".to_owned())??;
        eprintln!("{told}");
        others?;
        if passed {
            Ok(())
        } else {
            Err("tests of what compiles, and what does not, failed; see above".to_owned())
        }
    })
}

fn others() -> Result<(), String> {
    // Documentation tests are part of this: the README is the crate documentation of cache-runtime.
    let tests = [&ALL[..], &["--"]].concat();
    let skipped = UI.iter().flat_map(|name| ["--skip", name]);
    let tests: Vec<&str> = tests.into_iter().chain(skipped).collect();
    Step::tests(&tests).run()?;
    bench::briefly()?;
    servers::briefly()?;
    fuzz::briefly()?;
    instructions::briefly()
}

const ALL: [&str; 3] = ["test", "--workspace", "--all-features"];

/// Of what the tests of what compiles build themselves, program after program: nobody debugs it, and with what a debugger wants it takes 13 GB instead of 3.
const LEAN: &str = "env.CARGO_PROFILE_DEV_DEBUG='0'";

/// What is in `tests/tests/ui.rs`.
const UI: [&str; 2] = [
    "what_is_documented_compiles_and_runs",
    "every_mistake_is_one_error_on_the_token_to_change",
];

pub(crate) fn ensure_redis() -> Result<(), String> {
    ensure("redis-server", has_redis, &packages::REDIS)
}

pub(crate) fn ensure_browser() -> Result<(), String> {
    ensure("browser with a driver", has_browser, &packages::BROWSER)
}

fn ensure_postgres() -> Result<(), String> {
    ensure("PostgreSQL", has_postgres, &packages::POSTGRES)
}

fn ensure(what: &str, is_there: fn() -> bool, need: &packages::Need) -> Result<(), String> {
    if is_there() {
        return Ok(());
    }
    eprintln!("xtask: no {what}; installing it");
    packages::install(need)?;
    if is_there() {
        return Ok(());
    }
    Err(format!(
        "{what} was installed but is still not there\n\n{}",
        need.advice
    ))
}

/// By the names that the tests look for.
fn has_browser() -> bool {
    let browsers = ["chromium", "chromium-browser", "google-chrome"];
    let any = browsers.iter().any(|program| on_path(program).is_some());
    any && on_path("chromedriver").is_some()
}

/// Debian hides the server of each version in a folder of its own, where the tests look as well.
fn has_postgres() -> bool {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let mut hidden = versions
        .flatten()
        .map(|version| version.path().join("bin/initdb"));
    on_path("initdb").is_some() || hidden.any(|initdb| initdb.is_file())
}

/// Valkey answers to the same commands and options.
fn has_redis() -> bool {
    ["redis-server", "valkey-server"]
        .iter()
        .any(|program| on_path(program).is_some())
}

#[cfg(test)]
mod tests {
    use super::UI;

    #[test]
    fn what_is_skipped_elsewhere_is_all_of_one_program() {
        let program = include_str!("../../tests/tests/ui.rs");
        assert_eq!(program.matches("#[test]").count(), UI.len());
        assert!(
            UI.iter()
                .all(|name| program.contains(&format!("fn {name}()")))
        );
    }
}
