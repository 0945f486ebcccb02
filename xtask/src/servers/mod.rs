//! `cargo xtask servers`: the Redis tests against servers of other versions and makes.
//!
//! The launchers of the tests take the `redis-server` that is first on `PATH`, so another server is a folder in front of it. What cannot
//! be had is told by name with the reason and is no failure: a laptop without a network is no reason to distrust a change. What can be had has to pass.

mod fetch;
mod table;

use std::ffi::OsString;
use std::path::Path;

use crate::run::Step;
use table::{Server, TABLE};

pub(crate) const USAGE: &str = "cargo xtask servers [NAME…]";

/// The tier's own tests with the conformance suite, and all behaviour against real servers.
const ALL: [(&str, &[&str]); 2] = [("--lib", &["tiers::redis"]), ("--test=redis", &[""])];

/// The same tier's tests, and a look at the whole: each way to a server, what calls cost, and coherence.
const BRIEF: [(&str, &[&str]); 2] = [
    ("--lib", &["tiers::redis"]),
    ("--test=redis", &["ways::", "commands::", "coherence::"]),
];

pub(crate) fn run(names: &[String]) -> Result<(), String> {
    let known = |name: &String| TABLE.iter().any(|server| server.name == name);
    if let Some(name) = names.iter().find(|name| !known(name)) {
        let all: Vec<_> = TABLE.iter().map(|server| server.name).collect();
        return Err(format!(
            "`{name}` is no server; there are {}\n\nusage: {USAGE}",
            all.join(", ")
        ));
    }
    let wanted =
        |server: &&Server| names.is_empty() || names.iter().any(|name| name == server.name);
    all_of(TABLE.iter().filter(wanted), &ALL)
}

/// Long enough to see that every server is still understood: a part of the tests.
pub(crate) fn briefly() -> Result<(), String> {
    all_of(TABLE.iter(), &BRIEF)
}

fn all_of(
    servers: impl Iterator<Item = &'static Server>,
    programs: &[(&str, &[&str])],
) -> Result<(), String> {
    let (mut told, mut failed) = (Vec::new(), Vec::new());
    for server in servers {
        let name = server.name;
        let folder = match fetch::fetch(server) {
            Ok(folder) => folder,
            Err(why) => {
                told.push(format!(
                    "{name}: not tested, because it cannot be had: {why}"
                ));
                continue;
            }
        };
        let without = server
            .without
            .map(|what| format!(", without the tests of {what}, which it was built without"))
            .unwrap_or_default();
        match programs
            .iter()
            .try_for_each(|program| test(server, &folder, program))
        {
            Ok(()) => told.push(format!("{name}: passed{without}")),
            Err(why) => {
                told.push(format!("{name}: FAILED: {why}"));
                failed.push(name);
            }
        }
    }
    println!("{}", told.join("\n"));
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "servers that are not understood: {}",
            failed.join(", ")
        ))
    }
}

/// Runs one program's tests, in the build that the other tests have made.
fn test(
    server: &Server,
    folder: &Path,
    (program, filters): &(&str, &[&str]),
) -> Result<(), String> {
    let mut arguments = vec![
        "test",
        "--quiet",
        "--workspace",
        "--all-features",
        program,
        "--",
    ];
    arguments.extend(filters.iter().filter(|filter| !filter.is_empty()));
    if let Some(without) = server.without {
        arguments.extend(["--skip", without]);
    }
    Step::tests(&arguments)
        .env("PATH", &before_path(folder)?)
        .run()
}

fn before_path(folder: &Path) -> Result<String, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    let joined = std::env::join_paths(folders).map_err(|error| error.to_string())?;
    OsString::into_string(joined).map_err(|_| "`PATH` is no text".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_server_is_an_error() {
        let error = run(&["redis-5".to_owned()]).unwrap_err();
        assert!(
            error.contains("`redis-5` is no server; there are redis-6.2, "),
            "{error}"
        );
    }

    #[test]
    fn a_server_is_found_before_the_machines_own() {
        let path = before_path(Path::new("/a folder")).unwrap();
        assert!(path.starts_with("/a folder:"), "{path}");
    }
}
