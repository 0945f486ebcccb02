//! Level 3: one guard at a time is taken out of a copy of the workspace, and a test has to fail.
//!
//! The tests that are to fail run once on the copy as it is, and have to pass. The copy keeps its build between mutations: only what changed is built again.

use std::collections::BTreeMap;
use std::path::Path;

use super::mutations::{Mutation, Trial, all};
use super::options::Options;
use super::tree::{apply, copy, restore};
use super::trials::{PROCESSES, SCHEDULES};
use crate::run::{Step, root};

/// What became of a mutation.
struct Fate {
    name: &'static str,
    /// The tests that failed; none, if it survived.
    caught_by: Vec<String>,
}

pub(super) fn run(options: &Options) -> Result<(), String> {
    let tree = root().join("target/oracle/tree");
    copy(&tree)?;
    let wanted = |mutation: &&Mutation| {
        let only = options.only.as_deref();
        only.is_none_or(|only| mutation.is_called(only))
    };
    let mutations: Vec<_> = all().filter(wanted).collect();
    pass_as_it_is(&tree, &mutations)?;
    let (mut fates, mut untried) = (Vec::new(), Vec::new());
    for mutation in mutations {
        match try_one(&tree, mutation) {
            Ok(fate) => {
                eprintln!("xtask: {}", fate.shown());
                fates.push(fate);
            }
            Err(error) => untried.push(error),
        }
    }
    if options.json {
        let rows: Vec<_> = fates.iter().map(Fate::json).collect();
        println!("[{}]", rows.join(",\n "));
    } else {
        fates.iter().for_each(|fate| println!("{}", fate.shown()));
    }
    let survived = fates.iter().filter(|fate| fate.caught_by.is_empty());
    let survived = survived.map(|fate| format!("no test fails without: {}", fate.name));
    let wrong: Vec<_> = untried.into_iter().chain(survived).collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n"))
    }
}

impl Fate {
    fn shown(&self) -> String {
        match &self.caught_by[..] {
            [] => format!("survived  {}", self.name),
            by => format!("caught    {}, by {}", self.name, by.join(", ")),
        }
    }

    fn json(&self) -> String {
        let by = self.caught_by.iter().map(|test| format!("\"{test}\""));
        let by = by.collect::<Vec<_>>().join(", ");
        format!(
            "{{\"mutation\": \"{}\", \"caught\": {}, \"by\": [{by}]}}",
            self.name,
            !self.caught_by.is_empty()
        )
    }
}

/// A test that fails anyway would catch everything.
fn pass_as_it_is(tree: &Path, mutations: &[&Mutation]) -> Result<(), String> {
    let mut filters: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for mutation in mutations {
        let (program, filter) = mutation.trial.parts();
        let known = filters.entry(program).or_default();
        if !known.contains(&filter) {
            known.push(filter);
        }
    }
    for (program, mut filters) in filters {
        // The empty one is every test.
        if filters.contains(&"") {
            filters.clear();
        }
        let (passed, output) = trial(tree, &program, &filters, Extent::Taste).output()?;
        if !passed {
            return Err(format!("the code as it is does not pass:\n{output}"));
        }
    }
    Ok(())
}

fn try_one(tree: &Path, mutation: &'static Mutation) -> Result<Fate, String> {
    let originals = apply(tree, mutation)?;
    let outcome = put_to_the_test(tree, mutation);
    restore(&originals)?;
    Ok(Fate {
        name: mutation.name,
        caught_by: outcome?,
    })
}

/// The tests that fail.
fn put_to_the_test(tree: &Path, mutation: &Mutation) -> Result<Vec<String>, String> {
    let (program, filter) = mutation.trial.parts();
    let build = [&program[..], &["--no-run"]].concat();
    let (built, output) = trial(tree, &build, &[], Extent::Full).output()?;
    if !built {
        return Err(format!("`{}` does not build:\n{output}", mutation.name));
    }
    let filters: &[_] = if filter.is_empty() { &[] } else { &[filter] };
    let (passed, output) = trial(tree, &program, filters, Extent::Full).output()?;
    let failed = failed(&output);
    if passed || !failed.is_empty() {
        Ok(failed)
    } else {
        Err(format!("`{}` could not be tried:\n{output}", mutation.name))
    }
}

/// The names of the tests that failed, from what they said.
fn failed(output: &str) -> Vec<String> {
    let name = |line: &str| {
        line.strip_prefix("test ")?
            .strip_suffix(" ... FAILED")
            .map(str::to_owned)
    };
    output.lines().filter_map(name).collect()
}

impl Trial {
    /// The arguments of cargo that name the program, and a part of its tests' names.
    fn parts(self) -> (Vec<&'static str>, &'static str) {
        let tests = ["--package", "tests", "--test"];
        let optimized = |program| [&["--release"], &tests[..], &[program]].concat();
        match self {
            Self::Schedules => (optimized(SCHEDULES.program), ""),
            Self::Orders(filter) => (optimized("exhaustive"), filter),
            Self::Processes => (optimized(PROCESSES.program), ""),
            Self::Unit(filter) => (
                vec!["--package", "cache-runtime", "--all-features", "--lib"],
                filter,
            ),
            Self::Tests(program, filter) => ([&tests[..], &[program]].concat(), filter),
        }
    }
}

/// How much of what has no end of its own is tried.
#[derive(Clone, Copy)]
enum Extent {
    Taste,
    Full,
}

fn trial(tree: &Path, program: &[&str], filters: &[&str], extent: Extent) -> Step {
    let mut arguments = [&["test"], program].concat();
    if !filters.is_empty() {
        arguments.push("--");
        arguments.extend(filters);
    }
    let (amount, seed) = if program.contains(&PROCESSES.program) {
        let seconds = match extent {
            Extent::Taste => "6",
            Extent::Full => "60",
        };
        (("SECONDS", seconds), PROCESSES.seed)
    } else {
        let schedules = match extent {
            Extent::Taste => "1000",
            Extent::Full => "100000",
        };
        (("SCHEDULES", schedules), SCHEDULES.seed)
    };
    let target = tree.with_file_name("build");
    Step::cargo(&arguments)
        .within(tree)
        .env("CARGO_TARGET_DIR", &target.to_string_lossy())
        .env("CARGO_INCREMENTAL", "1")
        // Most are caught by the first thousands of schedules: building them takes longer.
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env(amount.0, amount.1)
        // What was caught is caught again.
        .env(seed, "1")
}

#[cfg(test)]
mod tests {
    use super::{Fate, failed};

    #[test]
    fn the_tests_that_failed_are_told_by_name() {
        let output = "running 2 tests\ntest a::holds ... ok\ntest a::breaks ... FAILED\n\nfailures:\n    a::breaks\n";
        let fate = Fate {
            name: "a guard",
            caught_by: failed(output),
        };
        assert_eq!(
            fate.json(),
            "{\"mutation\": \"a guard\", \"caught\": true, \"by\": [\"a::breaks\"]}"
        );
        assert_eq!(fate.shown(), "caught    a guard, by a::breaks");
    }
}
