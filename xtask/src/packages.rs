//! Installing what the tasks need with whatever package manager the machine has.
//!
//! The first manager of the table that is on `PATH` does it: as root directly, else through `sudo` where the manager
//! needs it. `sudo` never prompts without a terminal, so a CI run fails with advice instead of hanging.

use std::io::IsTerminal;

use crate::run::{Step, on_path};

/// Something to install.
#[derive(Debug)]
pub(crate) struct Need {
    /// What to do where nothing could be installed.
    pub(crate) advice: &'static str,
    /// By manager, what it calls the package, or several that are needed together, with spaces between. One is tried after the other: distributions differ.
    packages: [(&'static str, &'static [&'static str]); 4],
}

/// What the tests start.
pub(crate) const REDIS: Need = Need {
    advice:
        "The tests need `redis-server` (6.2 or later, or Valkey) on PATH. Install it with one of:

  apt-get update && apt-get install redis-server   # Debian, Ubuntu
  dnf install redis                                # Fedora, RHEL (valkey, where redis is gone)
  apk add redis                                    # Alpine
  brew install redis                               # macOS

(all but brew as root), then run the command again.",
    packages: [
        ("apt-get", &["redis-server"]),
        ("dnf", &["redis", "valkey"]),
        ("apk", &["redis"]),
        ("brew", &["redis"]),
    ],
};

/// What opens the administration page.
pub(crate) const BROWSER: Need = Need {
    advice: "The tests need Chromium and `chromedriver` on PATH. Install them with one of:

  apt-get update && apt-get install chromium chromium-driver   # Debian
  dnf install chromium chromedriver                            # Fedora
  apk add chromium chromium-chromedriver                       # Alpine
  brew install chromium chromedriver                           # macOS

(all but brew as root), then run the command again. Google Chrome will do as well.",
    packages: [
        // Where Chromium is no package, its driver brings what there is in its place.
        (
            "apt-get",
            &["chromium chromium-driver", "chromium-chromedriver"],
        ),
        ("dnf", &["chromium chromedriver"]),
        ("apk", &["chromium chromium-chromedriver"]),
        ("brew", &["chromium chromedriver"]),
    ],
};

/// The other database of the example service.
pub(crate) const POSTGRES: Need = Need {
    advice: "The tests need PostgreSQL (`initdb`, `postgres`). Install it with one of:

  apt-get update && apt-get install postgresql   # Debian, Ubuntu
  dnf install postgresql-server                  # Fedora, RHEL
  apk add postgresql                             # Alpine
  brew install postgresql                        # macOS

(all but brew as root), then run the command again.",
    packages: [
        ("apt-get", &["postgresql"]),
        ("dnf", &["postgresql-server"]),
        ("apk", &["postgresql"]),
        ("brew", &["postgresql"]),
    ],
};

/// What builds libFuzzer.
pub(crate) const CPLUSPLUS: Need = Need {
    advice: "The fuzzers need a compiler for C++ on PATH. Install it with one of:

  apt-get update && apt-get install g++   # Debian, Ubuntu
  dnf install gcc-c++                     # Fedora, RHEL
  apk add g++                             # Alpine
  brew install gcc                        # macOS, where Xcode has none

(all but brew as root), then run the command again.",
    packages: [
        ("apt-get", &["g++"]),
        ("dnf", &["gcc-c++"]),
        ("apk", &["g++"]),
        ("brew", &["gcc"]),
    ],
};

/// What counts instructions. There is none for macOS.
pub(crate) const VALGRIND: Need = Need {
    advice: "Counting instructions needs `valgrind` on PATH. Install it with one of:

  apt-get update && apt-get install valgrind   # Debian, Ubuntu
  dnf install valgrind                         # Fedora, RHEL
  apk add valgrind                             # Alpine
  brew install valgrind                        # Linux alone

(all but brew as root), then run the command again.",
    packages: [
        ("apt-get", &["valgrind"]),
        ("dnf", &["valgrind"]),
        ("apk", &["valgrind"]),
        ("brew", &["valgrind"]),
    ],
};

/// A package manager and how it is told to install without asking.
#[derive(Debug, PartialEq)]
struct Manager {
    program: &'static str,
    /// An empty clone often meets an empty package index.
    refresh: Option<&'static [&'static str]>,
    install: &'static [&'static str],
    needs_root: bool,
}

const MANAGERS: [Manager; 4] = [
    Manager {
        program: "apt-get",
        refresh: Some(&["update"]),
        install: &["install", "--yes", "--no-install-recommends"],
        needs_root: true,
    },
    Manager {
        program: "dnf",
        refresh: None,
        install: &["install", "--assumeyes"],
        needs_root: true,
    },
    Manager {
        program: "apk",
        refresh: None,
        install: &["add", "--no-cache"],
        needs_root: true,
    },
    // Homebrew refuses to run as root.
    Manager {
        program: "brew",
        refresh: None,
        install: &["install"],
        needs_root: false,
    },
];

/// How a manager that needs root gets it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Privilege {
    Root,
    /// `sudo` may ask for a password: there is somebody to type it.
    Sudo,
    SudoWithoutPassword,
    None,
}

/// Installs it; the error says what to do instead.
pub(crate) fn install(need: &Need) -> Result<(), String> {
    let advice = need.advice;
    let Some(manager) = MANAGERS
        .iter()
        .find(|manager| on_path(manager.program).is_some())
    else {
        return Err(format!("no known package manager on PATH\n\n{advice}"));
    };
    install_with(manager, need, privilege()).map_err(|reason| format!("{reason}\n\n{advice}"))
}

fn install_with(manager: &Manager, need: &Need, privilege: Privilege) -> Result<(), String> {
    if let Some(arguments) = manager.refresh {
        // One unreachable mirror fails the refresh, while the index at hand may do.
        if let Err(reason) = step(manager, arguments, privilege)?.run() {
            eprintln!("xtask: {reason}; going on with the package index as it is");
        }
    }
    let mut outcome = Err(format!("`{}` offers none", manager.program));
    for package in need.of(manager) {
        let packages: Vec<&str> = package.split(' ').collect();
        let arguments = [manager.install, &packages].concat();
        outcome = step(manager, &arguments, privilege)?.run();
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

impl Need {
    fn of(&self, manager: &Manager) -> &'static [&'static str] {
        let known = self
            .packages
            .iter()
            .find(|(program, _)| *program == manager.program);
        known.map_or(&[], |(_, packages)| packages)
    }
}

fn step(manager: &Manager, arguments: &[&str], privilege: Privilege) -> Result<Step, String> {
    let quiet = "DEBIAN_FRONTEND=noninteractive";
    let plain: Vec<&str> = [manager.program]
        .into_iter()
        .chain(arguments.iter().copied())
        .collect();
    let line = match (manager.needs_root, privilege) {
        (false, _) => plain,
        // `env` rather than our own environment: sudo would drop it.
        (true, Privilege::Root) => [&["env", quiet][..], &plain].concat(),
        (true, Privilege::Sudo) => [&["sudo", "env", quiet][..], &plain].concat(),
        (true, Privilege::SudoWithoutPassword) => {
            [&["sudo", "-n", "env", quiet][..], &plain].concat()
        }
        (true, Privilege::None) => {
            return Err(format!(
                "`{}` needs root, and there is no sudo",
                manager.program
            ));
        }
    };
    Ok(Step::new(line[0], &line[1..]))
}

fn privilege() -> Privilege {
    let root = std::process::Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|id| id.stdout.trim_ascii() == b"0");
    match (root, on_path("sudo").is_some()) {
        (true, _) => Privilege::Root,
        (false, true) if std::io::stdin().is_terminal() => Privilege::Sudo,
        (false, true) => Privilege::SudoWithoutPassword,
        (false, false) => Privilege::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(program: &str, privilege: Privilege) -> Result<String, String> {
        let manager = MANAGERS
            .iter()
            .find(|manager| manager.program == program)
            .expect("the table has it");
        let arguments = [manager.install, &REDIS.of(manager)[..1]].concat();
        step(manager, &arguments, privilege).map(|step| step.shown())
    }

    #[test]
    fn apt_runs_through_sudo_where_it_is_not_root() {
        let plain = "apt-get install --yes --no-install-recommends redis-server";
        let quiet = format!("env DEBIAN_FRONTEND=noninteractive {plain}");
        assert_eq!(shown("apt-get", Privilege::Root), Ok(quiet.clone()));
        assert_eq!(
            shown("apt-get", Privilege::Sudo),
            Ok(format!("sudo {quiet}"))
        );
        assert_eq!(
            shown("apt-get", Privilege::SudoWithoutPassword),
            Ok(format!("sudo -n {quiet}"))
        );
    }

    #[test]
    fn without_root_and_sudo_the_reason_is_said() {
        assert!(
            shown("dnf", Privilege::None)
                .expect_err("there is no way to root")
                .contains("needs root")
        );
    }

    #[test]
    fn brew_is_never_run_as_root() {
        assert_eq!(
            shown("brew", Privilege::Root),
            Ok("brew install redis".to_owned())
        );
    }

    #[test]
    fn every_manager_has_packages_and_advice_for_every_need() {
        for need in [REDIS, POSTGRES, BROWSER, CPLUSPLUS, VALGRIND] {
            for manager in &MANAGERS {
                assert!(need.advice.contains(manager.program), "{}", manager.program);
                assert!(!need.of(manager).is_empty(), "{}", manager.program);
            }
        }
    }
}
