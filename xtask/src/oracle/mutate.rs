//! Level 3: one guard at a time is taken out of a copy of the workspace, and a test has to fail.
//!
//! A text that is not found is an error, so the list cannot outlive the code it is about. The copy keeps its build
//! between mutations: only what changed is built again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::mutations::{ALL, Mutation, Trial};
use super::options::Options;
use crate::run::{Step, root};

/// What became of a mutation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Caught,
    Survived,
}

pub(super) fn run(options: &Options) -> Result<(), String> {
    let tree = root().join("target/oracle/tree");
    copy(&tree)?;
    let wanted = |mutation: &&Mutation| {
        let only = options.only.as_deref();
        only.is_none_or(|only| mutation.name.contains(only))
    };
    let mut fates = Vec::new();
    for mutation in ALL.iter().filter(wanted) {
        let fate = try_one(&tree, mutation)?;
        eprintln!("xtask: {}: {fate:?}", mutation.name);
        fates.push((mutation.name, fate));
    }
    report(&fates, options.json);
    let survived: Vec<_> = fates
        .iter()
        .filter(|(_, fate)| *fate == Fate::Survived)
        .map(|(name, _)| *name)
        .collect();
    if survived.is_empty() {
        Ok(())
    } else {
        Err(format!("no test failed without: {}", survived.join("; ")))
    }
}

fn report(fates: &[(&str, Fate)], json: bool) {
    if json {
        let rows = fates.iter().map(|(name, fate)| {
            let caught = *fate == Fate::Caught;
            format!("{{\"mutation\": \"{name}\", \"caught\": {caught}}}")
        });
        println!("[{}]", rows.collect::<Vec<_>>().join(", "));
        return;
    }
    for (name, fate) in fates {
        println!("{:9} {name}", format!("{fate:?}").to_lowercase());
    }
}

fn try_one(tree: &Path, mutation: &Mutation) -> Result<Fate, String> {
    let path = tree.join(mutation.file);
    let whole = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", mutation.file))?;
    if !whole.contains(mutation.find) {
        return Err(format!(
            "`{}`: {} does not have the text any more",
            mutation.name, mutation.file
        ));
    }
    let put =
        |text: &str| fs::write(&path, text).map_err(|error| format!("{}: {error}", mutation.file));
    put(&whole.replacen(mutation.find, mutation.replace, 1))?;
    let build = trial(tree, mutation.trial, &["--no-run"]).output();
    let outcome = match build {
        Ok((true, _)) => trial(tree, mutation.trial, &[])
            .output()
            .map(
                |(passed, _)| {
                    if passed { Fate::Survived } else { Fate::Caught }
                },
            ),
        Ok((false, output)) => Err(format!("`{}` does not build:\n{output}", mutation.name)),
        Err(error) => Err(error),
    };
    put(&whole)?;
    outcome
}

fn trial(tree: &Path, trial: Trial, more: &[&str]) -> Step {
    let (arguments, filter): (&[&str], &str) = match trial {
        Trial::Schedules => (
            &[
                "test",
                "--release",
                "--package",
                "tests",
                "--test",
                "interleavings",
            ],
            "",
        ),
        Trial::Tier(filter) => (
            &[
                "test",
                "--package",
                "cache-runtime",
                "--all-features",
                "--lib",
            ],
            filter,
        ),
        Trial::Tests(target, filter) => (&["test", "--package", "tests", "--test", target], filter),
    };
    let mut all = arguments.to_vec();
    all.extend(more);
    if !filter.is_empty() && more.is_empty() {
        all.extend(["--", filter]);
    }
    let target = tree.with_file_name("build");
    Step::cargo(&all)
        .within(tree)
        .env("CARGO_TARGET_DIR", &target.to_string_lossy())
        .env("SCHEDULES", "100000")
}

/// The files that belong to the workspace, as they stand.
fn copy(tree: &Path) -> Result<(), String> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .map_err(|error| format!("cannot run `git ls-files`: {error}"))?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    for file in listed.lines() {
        let (from, to) = (root().join(file), tree.join(file));
        if !from.is_file() {
            continue;
        }
        copy_changed(&from, &to).map_err(|error| format!("{file}: {error}"))?;
    }
    Ok(())
}

/// A file that is as it was is left alone, so that it is not built again.
fn copy_changed(from: &Path, to: &PathBuf) -> std::io::Result<()> {
    let new = fs::read(from)?;
    if fs::read(to).is_ok_and(|old| old == new) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(to, new)
}
