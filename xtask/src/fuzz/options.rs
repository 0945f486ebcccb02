//! The arguments of `cargo xtask fuzz`.

use std::time::Duration;

use super::{TARGETS, USAGE};

/// What was asked for.
#[derive(Debug, PartialEq)]
pub(super) struct Options {
    pub(super) targets: Vec<&'static str>,
    pub(super) effort: Effort,
}

/// How much of each target is run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Effort {
    /// For so long, from where earlier runs have ended, and other inputs each time.
    Time(Duration),
    /// So many inputs, the same each time.
    Inputs(u32),
}

impl Effort {
    /// A few inputs take less time than to optimize what runs them.
    pub(super) fn profile(self) -> &'static str {
        match self {
            Self::Time(_) => "release",
            Self::Inputs(_) => "dev",
        }
    }
}

impl Options {
    pub(super) fn read(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self {
            targets: Vec::new(),
            effort: Effort::Time(Duration::from_secs(60)),
        };
        let mut arguments = arguments.iter().map(String::as_str);
        while let Some(argument) = arguments.next() {
            match argument {
                "--seconds" => {
                    options.effort = Effort::Time(seconds(arguments.next().unwrap_or_default())?);
                }
                name => options.targets.push(target(name)?),
            }
        }
        if options.targets.is_empty() {
            options.targets = TARGETS.to_vec();
        }
        Ok(options)
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.map(Duration::from_secs).ok_or_else(|| {
        format!("`--seconds {text}` is no number of seconds above zero\n\nusage: {USAGE}")
    })
}

fn target(name: &str) -> Result<&'static str, String> {
    let known = TARGETS.into_iter().find(|known| *known == name);
    known.ok_or_else(|| {
        format!(
            "`{name}` is no target; there are {}\n\nusage: {USAGE}",
            TARGETS.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Options, String> {
        let arguments: Vec<_> = arguments.iter().map(|it| (*it).to_owned()).collect();
        Options::read(&arguments)
    }

    #[test]
    fn targets_and_time_are_chosen_and_all_targets_are_the_default() {
        let some = read(&["keys", "--seconds", "5", "urls"]).unwrap();
        assert_eq!(some.targets, ["keys", "urls"]);
        assert_eq!(some.effort, Effort::Time(Duration::from_secs(5)));
        assert_eq!(read(&[]).unwrap().targets, TARGETS);
    }

    #[test]
    fn what_is_no_target_or_time_is_an_error() {
        assert!(
            read(&["kyes"])
                .unwrap_err()
                .contains("`kyes` is no target; there are envelopes, keys")
        );
        for wrong in [&["--seconds", "0"][..], &["--seconds", "x"], &["--seconds"]] {
            assert!(
                read(wrong).unwrap_err().contains("no number of seconds"),
                "{wrong:?}"
            );
        }
    }
}
