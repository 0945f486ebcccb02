//! Each candidate is built by a cargo of its own: in one build, the features that one asks of a shared crate would be there for all.

use crate::machine::{benches, cargo};
use std::path::PathBuf;
use std::{env, io};

pub(crate) fn candidate(package: &str) -> Result<(), String> {
    let package = format!("bench-{package}");
    eprintln!("bench: building {package}");
    let arguments = [
        "build",
        "--release",
        "--locked",
        "--quiet",
        "--package",
        &package,
    ];
    let status = cargo(&arguments).current_dir(benches()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{package} does not build ({status})")),
        Err(error) => Err(format!("cannot run cargo: {error}")),
    }
}

/// The program of this package: beside this one.
pub(crate) fn program(package: &str) -> io::Result<PathBuf> {
    let own = env::current_exe()?;
    Ok(own.with_file_name(format!("bench-{package}{}", env::consts::EXE_SUFFIX)))
}
