//! `cargo xtask test`: every test of the workspace, against real Redis servers.
//!
//! The tests start and stop their own servers on free ports; all they need is the program. A test without it would
//! have to be skipped, and a skipped test looks like a passed one, so the program is installed instead.

use crate::run::{Step, on_path};
use crate::{bench, fuzz, instructions, packages, servers};

pub(crate) fn run() -> Result<(), String> {
    ensure_redis()?;
    // Documentation tests are part of this: the README is the crate documentation of cache-runtime.
    Step::cargo(&["test", "--workspace", "--all-features"]).run()?;
    bench::briefly()?;
    servers::briefly()?;
    fuzz::briefly()?;
    instructions::briefly()
}

pub(crate) fn ensure_redis() -> Result<(), String> {
    if has_redis() {
        return Ok(());
    }
    eprintln!("xtask: no redis-server on PATH; installing it");
    packages::install(&packages::REDIS)?;
    if has_redis() {
        return Ok(());
    }
    Err(format!(
        "redis-server was installed but is still not on PATH\n\n{}",
        packages::REDIS.advice
    ))
}

/// Valkey answers to the same commands and options.
fn has_redis() -> bool {
    ["redis-server", "valkey-server"]
        .iter()
        .any(|program| on_path(program).is_some())
}
