//! What a library costs to build: a program of a few lines, from nothing, on two jobs.
//!
//! Seconds are those of `cargo build --release` into an empty folder with everything downloaded. Crates are the different packages of
//! `cargo tree` over normal and build dependencies, the program itself left out. Lines of expansion are those that rustc prints of the expanded
//! program, less those of the same program without the attribute (`users/plain`), so that what `derive` writes does not count.

use crate::figures::Sample;
use crate::machine::{benches, cargo};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Instant;
use std::{env, fs};

pub(crate) fn sample(package: &str) -> Result<Sample, String> {
    let package = format!("user-{package}");
    let folder = env::temp_dir().join(format!("bench-build-{}", std::process::id()));
    let cleared = || {
        fs::remove_dir_all(&folder)
            .or_else(|error| if folder.exists() { Err(error) } else { Ok(()) })
    };
    cleared().map_err(|error| format!("cannot clear {}: {error}", folder.display()))?;
    run(cargo(&["fetch", "--locked", "--quiet"]), &folder)?;
    let start = Instant::now();
    run(
        cargo(&[
            "build",
            "--release",
            "--locked",
            "--offline",
            "--quiet",
            "--jobs",
            "2",
            "--package",
            &package,
        ]),
        &folder,
    )?;
    let mut figures = BTreeMap::from([("seconds".to_owned(), start.elapsed().as_secs_f64())]);
    figures.insert("crates".to_owned(), crates(&package, &folder)? as f64);
    if let Some(lines) = known_expansion(&package, &folder)? {
        figures.insert("expansion_lines".to_owned(), lines as f64);
    }
    cleared().map_err(|error| format!("cannot clear {}: {error}", folder.display()))?;
    Ok(Sample::Figures(figures))
}

fn crates(package: &str, folder: &Path) -> Result<usize, String> {
    let tree = [
        "tree",
        "--locked",
        "--offline",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
        "--format",
        "{p}",
        "--package",
        package,
    ];
    let told = run(cargo(&tree), folder)?;
    let names: BTreeSet<&str> = told
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .filter(|line| !line.is_empty())
        .collect();
    Ok(names.len() - 1)
}

/// An expansion does not change between repetitions, and asking for it builds half of the program again.
fn known_expansion(package: &str, folder: &Path) -> Result<Option<usize>, String> {
    static KNOWN: Mutex<BTreeMap<String, Option<usize>>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().expect("nothing panics under this lock");
    if let Some(lines) = known.get(package) {
        return Ok(*lines);
    }
    let lines = expansion(package, folder)?;
    known.insert(package.to_owned(), lines);
    Ok(lines)
}

/// None for a program without an attribute.
fn expansion(package: &str, folder: &Path) -> Result<Option<usize>, String> {
    let lines = |package: &str| {
        let mut rustc = cargo(&[
            "rustc",
            "--release",
            "--locked",
            "--offline",
            "--quiet",
            "--jobs",
            "2",
            "--package",
            package,
            "--",
            "-Zunpretty=expanded",
        ]);
        // The one way to have a stable compiler print an expansion; it is asked for nothing else.
        rustc.env("RUSTC_BOOTSTRAP", "1");
        run(rustc, folder).map(|told| told.lines().count())
    };
    let source = source(package);
    let text = fs::read_to_string(&source)
        .map_err(|error| format!("cannot read {}: {error}", source.display()))?;
    if !text.contains("// The attribute:") {
        return Ok(None);
    }
    Ok(Some(lines(package)?.saturating_sub(lines("user-plain")?)))
}

fn source(package: &str) -> PathBuf {
    let name = package.strip_prefix("user-").unwrap_or(package);
    benches().join("users").join(name).join("src/main.rs")
}

fn run(mut command: Command, folder: &Path) -> Result<String, String> {
    command
        .current_dir(benches())
        .env("CARGO_TARGET_DIR", folder)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let output = command
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!(
            "`cargo {:?}` failed ({})",
            command.get_args().collect::<Vec<_>>(),
            output.status
        )),
    }
}
