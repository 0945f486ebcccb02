//! What the figures were taken on, and where things are.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, thread};

/// The workspace of the benchmark.
pub(crate) fn benches() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the runner is a folder in it")
}

/// The folder of the project.
pub(crate) fn root() -> &'static Path {
    benches().parent().expect("the benchmark is a folder in it")
}

/// Cargo, and the one that runs this program.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    command.args(arguments);
    command
}

/// One line for the head of a table: cores, processor, compiler.
pub(crate) fn described() -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let (processor, rustc) = (processor(), said("rustc", &["--version"]));
    let rustc = rustc.unwrap_or_else(|| "unknown rustc".to_owned());
    let rustc = rustc.split(" (").next().unwrap_or_default().to_owned();
    format!("{cores} cores of {processor}, {}, {rustc}", env::consts::OS)
}

/// The commit the figures belong to; `+` after it if the tree differs from it.
pub(crate) fn commit() -> Option<String> {
    let root = root().to_string_lossy();
    let commit = said("git", &["-C", &root, "rev-parse", "--short", "HEAD"])?;
    // The page itself is written between runs.
    let changed = said(
        "git",
        &["-C", &root, "status", "--porcelain", "--", ".", ":!docs"],
    )?;
    Some(format!(
        "{commit}{}",
        if changed.is_empty() { "" } else { "+" }
    ))
}

fn processor() -> String {
    let known = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = known
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    let model = model.and_then(|line| line.split_once(": "));
    model.map_or_else(
        || format!("unnamed {} processor", env::consts::ARCH),
        |(_, model)| model.to_owned(),
    )
}

fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Name and version of every package in the benchmark's lock file.
pub(crate) fn locked() -> Result<Vec<(String, String)>, String> {
    let file: PathBuf = benches().join("Cargo.lock");
    let text = fs::read_to_string(&file)
        .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let quoted = |line: &str, name: &str| {
        let value = line
            .strip_prefix(name)?
            .strip_prefix(" = \"")?
            .strip_suffix('"')?;
        Some(value.to_owned())
    };
    let mut packages = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(name) = quoted(line, "name")
            && let Some(version) = lines.next().and_then(|line| quoted(line, "version"))
        {
            packages.push((name, version));
        }
    }
    Ok(packages)
}
