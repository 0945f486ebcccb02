//! Levels 1 and 2: the promise put to the test for as long as the time allows.

use super::options::Options;
use crate::run::Step;
use crate::test::ensure_redis;

/// A program of tests that runs for `SECONDS` and says at its end what it did.
pub(super) struct Trial {
    level: u8,
    program: &'static str,
    seed: &'static str,
    /// What it counts first.
    unit: &'static str,
}

pub(super) const SCHEDULES: Trial = Trial {
    level: 1,
    program: "interleavings",
    seed: "FIRST_SEED",
    unit: "schedules",
};

pub(super) const PROCESSES: Trial = Trial {
    level: 2,
    program: "processes",
    seed: "SEED",
    unit: "rounds",
};

pub(super) fn run(trial: &Trial, options: &Options) -> Result<(), String> {
    if trial.level > 1 {
        ensure_redis()?;
    }
    let mut step = Step::cargo(&[
        "test",
        "--release",
        "--package",
        "tests",
        "--test",
        trial.program,
        "--",
        "--nocapture",
    ])
    .env("SECONDS", &options.seconds.to_string());
    if let Some(seed) = options.seed {
        step = step.env(trial.seed, &seed.to_string());
    }
    let (succeeded, output) = step.output()?;
    let report = output
        .lines()
        .rev()
        .find(|line| line.contains("refused stores"));
    if let (Some(line), true) = (report, succeeded) {
        println!("{}", said(trial, line, options.json));
        return Ok(());
    }
    Err(format!(
        "a violation was found, or nothing could be run:\n{output}"
    ))
}

/// `1 schedules, 2 reads, …`, or the same as an object.
fn said(trial: &Trial, line: &str, json: bool) -> String {
    if !json {
        return line.to_owned();
    }
    let names = [
        trial.unit,
        "reads",
        "evictions",
        "refused stores",
        "violations",
    ];
    let fields = names.iter().filter_map(|name| {
        let part = line.split(", ").find(|part| part.ends_with(name))?;
        let number = part.split(' ').next()?;
        Some(format!("\"{}\": {number}", name.replace(' ', "_")))
    });
    let fields = fields.collect::<Vec<_>>().join(", ");
    format!("{{\"level\": {}, {fields}}}", trial.level)
}

#[cfg(test)]
mod tests {
    use super::{PROCESSES, SCHEDULES, said};

    #[test]
    fn the_report_becomes_an_object() {
        assert_eq!(
            said(
                &SCHEDULES,
                "5 schedules, 40 reads, 7 evictions, 3 refused stores, 0 violations",
                true
            ),
            "{\"level\": 1, \"schedules\": 5, \"reads\": 40, \"evictions\": 7, \"refused_stores\": 3, \"violations\": 0}"
        );
        let line = "2 rounds, 40 reads, 7 evictions, 3 refused stores, 0 violations";
        assert!(said(&PROCESSES, line, true).starts_with("{\"level\": 2, \"rounds\": 2, "));
        assert_eq!(said(&PROCESSES, line, false), line);
    }
}
