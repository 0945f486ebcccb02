//! Running other programs: echoed, with their output passed through, a failure as a sentence.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A program to run, from the root of the workspace.
#[derive(Debug)]
pub(crate) struct Step {
    program: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    folder: Option<PathBuf>,
}

impl Step {
    pub(crate) fn new<A: AsRef<str>>(program: &str, arguments: &[A]) -> Step {
        let arguments = arguments.iter().map(|a| a.as_ref().to_owned()).collect();
        Step {
            program: program.to_owned(),
            arguments,
            environment: Vec::new(),
            folder: None,
        }
    }

    /// Cargo, and the very one that runs this program: another toolchain would build everything again.
    pub(crate) fn cargo(arguments: &[&str]) -> Step {
        let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        Step::new(&cargo, arguments)
    }

    /// Tests, more at once than there are cores: most of them wait for servers most of the time. `RUST_TEST_THREADS` has the last word.
    pub(crate) fn tests(arguments: &[&str]) -> Step {
        let threads = env::var("RUST_TEST_THREADS").unwrap_or_else(|_| "8".to_owned());
        Step::cargo(arguments).env("RUST_TEST_THREADS", &threads)
    }

    /// Runs only when nothing else wants to, where the system knows how.
    pub(crate) fn at_leisure(mut self) -> Step {
        if on_path("nice").is_some() {
            let program = std::mem::replace(&mut self.program, "nice".to_owned());
            let words = ["-n", "19", &program].map(str::to_owned);
            self.arguments.splice(0..0, words);
        }
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Step {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs in this folder instead of the workspace.
    pub(crate) fn within(mut self, folder: &Path) -> Step {
        self.folder = Some(folder.to_owned());
        self
    }

    /// Runs the program to its end, and passes on what it says: whether it succeeded, and what it said on its standard output.
    pub(crate) fn told(&self) -> Result<(bool, String), String> {
        eprintln!("xtask: {}", self.shown());
        let failed = |error| format!("cannot run `{}`: {error}", self.shown());
        let mut command = self.command();
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let mut told = String::new();
        for line in child
            .stdout
            .take()
            .into_iter()
            .flat_map(|output| BufReader::new(output).lines())
        {
            let line = line.map_err(failed)?;
            eprintln!("{line}");
            told.push_str(&line);
            told.push('\n');
        }
        let status = child.wait().map_err(failed)?;
        Ok((status.success(), told))
    }

    /// Runs the program to its end: whether it succeeded, and all it said.
    pub(crate) fn output(&self) -> Result<(bool, String), String> {
        eprintln!("xtask: {}", self.shown());
        let output = self
            .command()
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("cannot run `{}`: {error}", self.shown()))?;
        let text =
            [output.stdout, output.stderr].map(|part| String::from_utf8_lossy(&part).into_owned());
        Ok((output.status.success(), text.concat()))
    }

    /// Runs the program to its end; a failure names the command.
    pub(crate) fn run(&self) -> Result<(), String> {
        eprintln!("xtask: {}", self.shown());
        let status = self
            .command()
            .status()
            .map_err(|error| format!("cannot run `{}`: {error}", self.shown()))?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("`{}` failed ({status})", self.shown()))
        }
    }

    /// Whether the program can be run and succeeds; its output is dropped.
    pub(crate) fn succeeds(&self) -> bool {
        let quiet = self
            .command()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        quiet.is_ok_and(|status| status.success())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .envs(self.environment.iter().cloned())
            .current_dir(self.folder.as_deref().unwrap_or(root()));
        command
    }

    /// The command as one would type it.
    pub(crate) fn shown(&self) -> String {
        let program = Path::new(&self.program).file_stem().map_or_else(
            || self.program.clone(),
            |p| p.to_string_lossy().into_owned(),
        );
        let environment = self
            .environment
            .iter()
            .map(|(name, value)| format!("{name}='{value}'"));
        environment
            .chain([program])
            .chain(self.arguments.iter().cloned())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// The file a program's name stands for on this machine, if it is on `PATH`.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// A line of what the compiler says about itself.
pub(crate) fn rustc_says(name: &str) -> Result<String, String> {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let output = Command::new(&rustc)
        .arg("-vV")
        .output()
        .map_err(|error| format!("cannot run `{rustc} -vV`: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.map(str::to_owned)
        .ok_or_else(|| format!("`{rustc} -vV` names no {name}"))
}

/// Where builds go.
pub(crate) fn target_folder() -> PathBuf {
    let set = env::var_os("CARGO_TARGET_DIR").map(|folder| root().join(folder));
    set.unwrap_or_else(|| root().join("target"))
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the manifest of xtask lies one folder below the root")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_is_shown_as_one_would_type_it() {
        let step = Step::new("/some/where/cargo", &["doc", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(
            step.shown(),
            "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps"
        );
    }

    #[test]
    fn failure_names_the_command() {
        let failure = Step::new("false", &["an argument"])
            .run()
            .expect_err("it cannot succeed");
        assert!(failure.contains("false an argument"), "{failure}");
        let missing = Step::new("no-such-program-here", &[""; 0])
            .run()
            .expect_err("it cannot succeed");
        assert!(
            missing.contains("cannot run `no-such-program-here`"),
            "{missing}"
        );
    }

    #[test]
    fn only_programs_that_exist_are_on_the_path() {
        assert!(on_path("sh").is_some());
        assert!(on_path("no-such-program-here").is_none());
    }
}
