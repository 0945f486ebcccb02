//! `cargo xtask fuzz`: libFuzzer on what reads bytes from outside.
//!
//! The fuzzer is a library (`libfuzzer-sys`) and its instruments are flags of the compiler, so nothing has to be installed but a compiler
//! for the C++ it is written in, and every toolchain will do. The flags are those that `cargo fuzz` sets. What the fuzzer finds worth
//! keeping stays in the target folder and is where the next run begins; what breaks a property becomes a seed in `fuzz/seeds`, which
//! every run of the tests repeats.

mod options;

use std::fs;
use std::path::{Path, PathBuf};

use crate::packages;
use crate::run::{Step, on_path, root, rustc_says, target_folder};

use options::{Effort, Options};

pub(crate) const USAGE: &str = "cargo xtask fuzz [TARGET…] [--seconds N]";

/// The programs of `fuzz/`.
const TARGETS: [&str; 5] = ["envelopes", "keys", "messages", "patterns", "urls"];

/// Coverage of edges with a counter for each, and what is compared with what.
const INSTRUMENTS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 -Cdebug-assertions";

/// An input that takes longer hangs.
const INPUT: &str = "-timeout=10";
/// Enough for an entry with more tags than there may be.
const LENGTH: &str = "-max_len=2048";

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let options = Options::read(arguments)?;
    fuzz(&options)
}

/// What shows that the targets still work, the same inputs each time: a part of the tests, which do not fail by chance.
pub(crate) fn briefly() -> Result<(), String> {
    fuzz(&Options {
        targets: TARGETS.to_vec(),
        effort: Effort::Inputs(2_000),
    })
}

fn fuzz(options: &Options) -> Result<(), String> {
    if on_path("c++").is_none() && on_path("g++").is_none() {
        eprintln!("xtask: no compiler for C++ on PATH; installing one");
        packages::install(&packages::CPLUSPLUS)?;
    }
    // The machine's own target.
    let host = rustc_says("host")?;
    let profile = options.effort.profile();
    build(&host, profile)?;
    // Cargo's name for what `dev` makes.
    let made = if profile == "dev" { "debug" } else { profile };
    let programs = folder().join(&host).join(made);
    let mut told = Vec::new();
    for target in &options.targets {
        told.push(search(&programs.join(target), target, options.effort)?);
    }
    println!("{}", told.join("\n"));
    Ok(())
}

/// Apart from the other builds, none of which has the instruments.
fn folder() -> PathBuf {
    target_folder().join("fuzz")
}

/// With a target named, the flags are not those of build scripts and macros, which have no fuzzer to report to.
fn build(host: &str, profile: &str) -> Result<(), String> {
    let folder = folder();
    let place = folder.to_string_lossy();
    let arguments = [
        "build",
        "--profile",
        profile,
        "--target",
        host,
        "--target-dir",
        &place,
    ];
    Step::cargo(&arguments)
        .within(&root().join("fuzz"))
        .env("RUSTFLAGS", INSTRUMENTS)
        .run()
}

/// Runs one target over the seeds, what it makes of them, and where time decides over what earlier runs have found; says how much that was.
fn search(program: &Path, target: &str, effort: Effort) -> Result<String, String> {
    // What is found goes into the first folder; the seeds are no place for it.
    let (kept, limit) = match effort {
        Effort::Time(time) => ("found", vec![format!("-max_total_time={}", time.as_secs())]),
        Effort::Inputs(number) => (
            "once",
            vec!["-seed=1".to_owned(), format!("-runs={number}")],
        ),
    };
    let (found, broken) = (
        folder().join(kept).join(target),
        folder().join("broken").join(target),
    );
    if matches!(effort, Effort::Inputs(_)) && found.exists() {
        fs::remove_dir_all(&found).map_err(|error| format!("{}: {error}", found.display()))?;
    }
    for folder in [&found, &broken] {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let seeds = root().join("fuzz/seeds").join(target);
    let mut arguments = vec![
        found.to_string_lossy().into_owned(),
        seeds.to_string_lossy().into_owned(),
        format!("-artifact_prefix={}/", broken.display()),
        "-print_final_stats=1".to_owned(),
        INPUT.to_owned(),
        LENGTH.to_owned(),
    ];
    arguments.extend(limit);
    let (succeeded, said) = Step::new(&program.to_string_lossy(), &arguments).output()?;
    if !succeeded {
        return Err(format!(
            "{said}\n`{target}` was broken; the input is in {}. To repeat it: {} FILE. Once it holds, it belongs into {}",
            broken.display(),
            program.display(),
            seeds.display()
        ));
    }
    let figure = |name: &str| {
        let line = said
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.map(str::trim).unwrap_or("?")
    };
    Ok(format!(
        "fuzz {target}: {} runs, {} inputs that reached something new, nothing broken",
        figure("stat::number_of_executed_units"),
        figure("stat::new_units_added")
    ))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{TARGETS, root};

    /// The runtime has one more list, which its own test holds to the folders of seeds.
    #[test]
    fn targets_programs_and_seeds_are_the_same() {
        for (folder, extension) in [("seeds", ""), ("targets", ".rs")] {
            let entries = fs::read_dir(root().join("fuzz").join(folder)).unwrap();
            let mut names: Vec<_> = entries
                .map(|it| it.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            assert_eq!(names, TARGETS.map(|target| format!("{target}{extension}")));
        }
    }
}
