//! `cargo xtask instructions`: what a call costs on each hot path, in instructions, beside what it cost when that was last written down.
//!
//! Nothing tells that a hit has become a tenth slower: no test fails, and times on a machine that does other things as well differ by
//! more. Instructions do not. `tests/hotpaths` does the same work twice, a few times and many times, under valgrind's callgrind; the
//! difference, per call, is compared with `tests/hotpaths/instructions.txt`. In both directions: a record that is higher than what is
//! so lets the next one be as slow again.
//!
//! The figures belong to a compiler, a C library, a version of valgrind and a kind of processor ([`environment`]). On another machine of
//! the same target the comparison is coarser ([`compare`]), and for another target there is none; both are said.

mod compare;
mod count;
mod environment;
mod record;
mod server;
mod waits;

use std::path::PathBuf;

use crate::packages;
use crate::run::{Step, on_path, root, target_folder};

use compare::Report;
use count::{Count, Path};
use environment::Environment;
use record::Record;

pub(crate) const USAGE: &str = "cargo xtask instructions [--record]";
const RECORD: &str = "cargo xtask instructions --record";

/// Compares, or with `--record` writes down what is so.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => compared(),
        ["--record"] => recorded(),
        _ => Err(format!(
            "unknown arguments `{}`\n\nusage: {USAGE}",
            arguments.join(" ")
        )),
    }
}

/// A part of the tests, wherever there is a valgrind.
pub(crate) fn briefly() -> Result<(), String> {
    if cfg!(target_os = "linux") {
        return compared();
    }
    println!("instructions: not counted, because valgrind is for Linux");
    Ok(())
}

fn compared() -> Result<(), String> {
    let file = file();
    let text = std::fs::read_to_string(&file)
        .map_err(|error| format!("{}: {error}; `{RECORD}` writes it", file.display()))?;
    let record = Record::read(&text).map_err(|why| format!("{}: {why}", file.display()))?;
    let (environment, counts) = counted()?;
    let report = Report::of(&record, &environment, &counts);
    println!("{report}");
    report.outcome()?;
    // Another compiler makes other loads and stores.
    if record.environment == environment {
        return waits::none(&program(), &counts);
    }
    println!(
        "loads that wait for stores: not looked for, because the tools are not those of the record"
    );
    Ok(())
}

fn recorded() -> Result<(), String> {
    let (environment, counts) = counted()?;
    let record = Record::of(&environment, &counts);
    let file = file();
    std::fs::write(&file, record.to_string())
        .map_err(|error| format!("{}: {error}", file.display()))?;
    println!("{}:\n{record}", file.display());
    Ok(())
}

fn file() -> PathBuf {
    root().join("tests/hotpaths/instructions.txt")
}

fn program() -> PathBuf {
    target_folder().join("release").join("hotpaths")
}

/// Builds the program, and counts each of its paths.
fn counted() -> Result<(Environment, Vec<Count>), String> {
    if on_path("valgrind").is_none() {
        eprintln!("xtask: no valgrind on PATH; installing it");
        packages::install(&packages::VALGRIND)?;
    }
    crate::test::ensure_redis()?;
    // In several units it is chance, and other code of the crate, what is made part of what.
    Step::cargo(&["build", "--release", "--package", "hotpaths"])
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")
        .run()?;
    let program = program();
    let (_, list) = Step::new(&program.to_string_lossy(), &[""; 0]).output()?;
    let paths = Path::read_all(&list)?;
    let folder = target_folder().join("instructions");
    Ok((Environment::here()?, count::all(&program, &folder, &paths)?))
}
