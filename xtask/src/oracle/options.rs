//! The arguments of `cargo xtask oracle`.

use super::USAGE;

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// 1: random schedules.
    Schedules,
    /// 2: processes on a server.
    Processes,
    /// 3: the code without its guards.
    Mutations,
}

/// What was asked for.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) level: Level,
    /// How long it may take; a minute, or for the mutations, as long as they take.
    pub(super) seconds: Option<u64>,
    pub(super) seed: Option<u64>,
    /// Of level 2: what the processes share.
    pub(super) server: Option<String>,
    /// Of level 1: not at random, but every schedule of small configurations.
    pub(super) exhaustive: bool,
    /// Of the mutations, those whose name has this in it, or the path of a file they change.
    pub(super) only: Option<String>,
    pub(super) json: bool,
}

impl Options {
    pub(super) fn read(arguments: &[String]) -> Result<Self, String> {
        let (mut level, mut options) = (
            None,
            Self {
                level: Level::Schedules,
                seconds: None,
                seed: None,
                server: None,
                exhaustive: false,
                only: None,
                json: false,
            },
        );
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || {
                let value = rest.next().cloned();
                value.ok_or_else(|| format!("`{argument}` needs a value\n\nusage: {USAGE}"))
            };
            match argument.as_str() {
                "--level" => level = Some(level_of(&value()?)?),
                "--seconds" => options.seconds = Some(number(argument, &value()?)?),
                "--seed" => options.seed = Some(number(argument, &value()?)?),
                "--server" => options.server = Some(server(value()?)?),
                "--only" => options.only = Some(value()?),
                "--exhaustive" => options.exhaustive = true,
                "--json" => options.json = true,
                other => return Err(format!("unknown option `{other}`\n\nusage: {USAGE}")),
            }
        }
        options.level = level.ok_or_else(|| format!("which level?\n\nusage: {USAGE}"))?;
        options.check(arguments)?;
        Ok(options)
    }
}

impl Options {
    /// What would have no effect is a mistake.
    fn check(&self, arguments: &[String]) -> Result<(), String> {
        let timed = !self.exhaustive;
        for (option, has_effect) in [
            ("--seconds", timed),
            ("--seed", timed),
            ("--server", self.level == Level::Processes),
            ("--exhaustive", self.level == Level::Schedules),
            ("--only", self.level == Level::Mutations),
        ] {
            if arguments.iter().any(|argument| argument == option) && !has_effect {
                return Err(format!("`{option}` has no effect here\n\nusage: {USAGE}"));
            }
        }
        Ok(())
    }
}

fn level_of(text: &str) -> Result<Level, String> {
    match text {
        "1" => Ok(Level::Schedules),
        "2" => Ok(Level::Processes),
        "3" => Ok(Level::Mutations),
        other => Err(format!("there is no level `{other}`\n\nusage: {USAGE}")),
    }
}

/// Those of `tests/tests/processes`.
fn server(name: String) -> Result<String, String> {
    let known = ["standalone", "proxy", "sentinel", "cluster"];
    if known.contains(&name.as_str()) {
        return Ok(name);
    }
    Err(format!(
        "`--server` takes {}, not `{name}`",
        known.join(", ")
    ))
}

fn number(option: &str, text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| format!("`{option}` takes a whole number, not `{text}`"))
}

#[cfg(test)]
mod tests {
    use super::{Level, Options};

    fn read(text: &str) -> Result<Options, String> {
        let arguments: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        Options::read(&arguments)
    }

    #[test]
    fn what_is_asked_for_is_understood() {
        let options = read("--level 1 --seconds 5 --seed 7 --json").unwrap();
        assert_eq!(
            (options.level, options.seconds),
            (Level::Schedules, Some(5))
        );
        assert_eq!((options.seed, options.json), (Some(7), true));
        assert_eq!(read("--level 2").unwrap().level, Level::Processes);
        let options = read("--level 2 --server cluster").unwrap();
        assert_eq!(options.server.as_deref(), Some("cluster"));
        assert_eq!(read("--level 3").unwrap().level, Level::Mutations);
        assert!(read("--level 1 --exhaustive").unwrap().exhaustive);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (text, named) in [
            ("", "which level"),
            ("--level 7", "`7`"),
            ("--level", "`--level`"),
            ("--level 1 --seconds soon", "`soon`"),
            ("--quick", "`--quick`"),
            ("--level 2 --exhaustive", "`--exhaustive`"),
            ("--level 1 --exhaustive --seconds 5", "`--seconds`"),
            ("--level 2 --only store", "`--only`"),
            ("--level 2 --server redis", "`redis`"),
            ("--level 1 --server proxy", "`--server`"),
        ] {
            assert!(read(text).unwrap_err().contains(named), "{text}");
        }
    }
}
