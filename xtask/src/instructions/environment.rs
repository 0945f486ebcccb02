//! What the figures depend on, other than the code.
//!
//! The compiler decides what a line becomes, the C library how memory is found and copied, and for the latter it looks at the
//! processor, as do some crates. Valgrind shows them a processor of its own, which has AVX2 if the machine's has.

use std::env;
use std::fmt;
use std::fs;

use crate::run::{Step, rustc_says};

/// What counts were taken with.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Environment {
    /// As the compiler calls it; what is counted for one says nothing about another.
    pub(super) target: String,
    /// The rest, in words.
    pub(super) tools: String,
}

impl Environment {
    /// This machine's.
    pub(super) fn here() -> Result<Self, String> {
        let rustc = rustc_says("release")?;
        let commit = rustc_says("commit-hash")?;
        let commit: String = commit.chars().take(9).collect();
        // musl and others have no such name, and no version to ask for.
        let libc = said("getconf", &["GNU_LIBC_VERSION"]);
        let libc = libc.unwrap_or_else(|| "another C library".to_owned());
        let valgrind = said("valgrind", &["--version"]).ok_or("`valgrind --version` fails")?;
        let wide = fs::read_to_string("/proc/cpuinfo").is_ok_and(|cpu| cpu.contains(" avx2"));
        let wide = if wide { "AVX2" } else { "no AVX2" };
        let flags = env::var("RUSTFLAGS").unwrap_or_default();
        let flags = match flags.trim() {
            "" => String::new(),
            flags => format!(", RUSTFLAGS {flags}"),
        };
        Ok(Self {
            target: rustc_says("host")?,
            tools: format!("rustc {rustc} ({commit}), {libc}, {valgrind}, {wide}{flags}"),
        })
    }

    pub(super) fn read(line: &str) -> Option<Self> {
        let (target, tools) = line.split_once(": ")?;
        Some(Self {
            target: target.to_owned(),
            tools: tools.to_owned(),
        })
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.target, self.tools)
    }
}

fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let (succeeded, said) = Step::new(program, arguments).output().ok()?;
    succeeded.then(|| said.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::Environment;

    #[test]
    fn it_is_read_as_it_is_written() {
        let environment = Environment {
            target: "x86_64-unknown-linux-gnu".to_owned(),
            tools: "rustc 1.95.0 (59807616e), glibc 2.36".to_owned(),
        };
        let line = environment.to_string();
        assert_eq!(Environment::read(&line), Some(environment));
        assert_eq!(Environment::read("no environment"), None);
    }
}
