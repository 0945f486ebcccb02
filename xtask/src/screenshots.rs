//! `cargo xtask screenshots`: the administration page as the documentation shows it.
//!
//! The pictures are taken by the test that opens the page in those sizes anyway, of the same page under load for longer, so they cannot show what is not there.

use crate::run::{Step, root};
use crate::test::{ensure_browser, ensure_redis};

pub(crate) fn run() -> Result<(), String> {
    ensure_redis()?;
    ensure_browser()?;
    let folder = root().join("docs/admin");
    std::fs::create_dir_all(&folder)
        .map_err(|error| format!("cannot make `{}`: {error}", folder.display()))?;
    Step::cargo(&["test", "-p", "tests-http", "--test", "admin", "screenshots"])
        .env("SCREENSHOTS", &folder.to_string_lossy())
        .run()
}
