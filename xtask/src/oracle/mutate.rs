//! Level 3: one guard at a time is taken out of a copy of the workspace, and a test has to fail.
//!
//! The tests that are to fail run once on the copy as it is, and have to pass. The copy keeps its build between mutations: only what changed is
//! built again. After `--seconds` no other mutation is begun; `--seed` is where the random schedules begin.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

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
    let mut bench = Bench::new(options.seed)?;
    let wanted = |mutation: &&Mutation| {
        let only = options.only.as_deref();
        only.is_none_or(|only| mutation.is_called(only))
    };
    let over = options
        .seconds
        .map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let (mut fates, mut wrong, mut left) = (Vec::new(), Vec::new(), 0);
    for mutation in all().filter(wanted) {
        if over.is_some_and(|over| Instant::now() > over) {
            left += 1;
            continue;
        }
        match bench.try_one(mutation) {
            Ok(fate) => {
                eprintln!("xtask: {}", fate.shown());
                fates.push(fate);
            }
            Err(error) => wrong.push(error),
        }
    }
    if options.json {
        let rows: Vec<_> = fates.iter().map(Fate::json).collect();
        println!("[{}]", rows.join(",\n "));
    } else {
        fates.iter().for_each(|fate| println!("{}", fate.shown()));
    }
    if left > 0 {
        eprintln!("xtask: the time is over; {left} mutations were not tried");
    }
    let survived = fates.iter().filter(|fate| fate.caught_by.is_empty());
    wrong.extend(survived.map(|fate| format!("no test fails without: {}", fate.name)));
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

/// A copy of the workspace, and what has been found to pass there as it is.
struct Bench {
    tree: PathBuf,
    seed: String,
    sound: BTreeSet<(Vec<&'static str>, &'static str)>,
}

impl Bench {
    fn new(seed: Option<u64>) -> Result<Self, String> {
        let tree = root().join("target/oracle/tree");
        copy(&tree)?;
        Ok(Self {
            tree,
            // What was caught is caught again.
            seed: seed.unwrap_or(1).to_string(),
            sound: BTreeSet::new(),
        })
    }

    fn try_one(&mut self, mutation: &'static Mutation) -> Result<Fate, String> {
        self.passes_as_it_is(mutation)?;
        let originals = apply(&self.tree, mutation)?;
        let outcome = self.put_to_the_test(mutation);
        restore(&originals)?;
        Ok(Fate {
            name: mutation.name,
            caught_by: outcome?,
        })
    }

    /// A test that fails anyway would catch everything.
    fn passes_as_it_is(&mut self, mutation: &Mutation) -> Result<(), String> {
        let (program, filter) = mutation.trial.parts();
        if self.sound.contains(&(program.clone(), filter)) {
            return Ok(());
        }
        let (passed, output) = self.trial(&program, filter, Extent::Taste).output()?;
        if !passed {
            return Err(format!(
                "`{}`: the code as it is does not pass:\n{output}",
                mutation.name
            ));
        }
        self.sound.insert((program, filter));
        Ok(())
    }

    /// The tests that fail.
    fn put_to_the_test(&self, mutation: &Mutation) -> Result<Vec<String>, String> {
        let (program, filter) = mutation.trial.parts();
        let build = [&program[..], &["--no-run"]].concat();
        let (built, output) = self.trial(&build, "", Extent::Full).output()?;
        if !built {
            return Err(format!("`{}` does not build:\n{output}", mutation.name));
        }
        let (passed, output) = self.trial(&program, filter, Extent::Full).output()?;
        let failed = failed(&output);
        if passed || !failed.is_empty() {
            Ok(failed)
        } else {
            Err(format!("`{}` could not be tried:\n{output}", mutation.name))
        }
    }

    fn trial(&self, program: &[&str], filter: &str, extent: Extent) -> Step {
        let mut arguments = [&["test"], program].concat();
        if !filter.is_empty() {
            arguments.extend(["--", filter]);
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
        let target = self.tree.with_file_name("build");
        Step::cargo(&arguments)
            .within(&self.tree)
            .env("CARGO_TARGET_DIR", &target.to_string_lossy())
            .env("CARGO_INCREMENTAL", "1")
            // Most are caught by the first thousands of schedules: building them takes longer.
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
            .env(amount.0, amount.1)
            .env(seed, &self.seed)
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
            Self::Processes => (optimized(PROCESSES.program), PROCESSES.test),
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
