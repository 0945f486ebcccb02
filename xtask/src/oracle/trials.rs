//! Levels 1 and 2: the promise put to the test for as long as the time allows; and every schedule of small configurations.

use super::options::Options;
use crate::run::Step;
use crate::test::ensure_redis;

/// A program of tests that runs for `SECONDS` and says at its end what it did.
pub(super) struct Trial {
    level: u8,
    pub(super) program: &'static str,
    /// What the names of its tests begin with, if nobody says which.
    pub(super) test: &'static str,
    /// The variable that takes the seed.
    pub(super) seed: &'static str,
    /// What it counts first.
    unit: &'static str,
}

/// Without `--seconds`.
const SECONDS: u64 = 60;

pub(super) const SCHEDULES: Trial = Trial {
    level: 1,
    program: "interleavings",
    test: "",
    seed: "FIRST_SEED",
    unit: "schedules",
};

pub(super) const PROCESSES: Trial = Trial {
    level: 2,
    program: "processes",
    test: "standalone",
    seed: "SEED",
    unit: "rounds",
};

pub(super) fn run(trial: &Trial, options: &Options) -> Result<(), String> {
    if trial.level > 1 {
        ensure_redis()?;
    }
    let seconds = options.seconds.unwrap_or(SECONDS);
    let test = options.server.as_deref().unwrap_or(trial.test);
    let step = program(trial.program, test);
    let mut step = step.env("SECONDS", &seconds.to_string());
    if let Some(seed) = options.seed {
        step = step.env(trial.seed, &seed.to_string());
    }
    let (succeeded, output) = step.told()?;
    let mut lines = output.lines().rev();
    if let Some(line) = lines.find(|line| line.contains("refused stores")) {
        println!("{}", said(trial, line, options.json));
    }
    passed(succeeded)
}

/// Walks every schedule of small configurations. It takes as long as it takes: a minute.
pub(super) fn walk(options: &Options) -> Result<(), String> {
    let (succeeded, output) = program("exhaustive", "").told()?;
    let configurations: Vec<_> = output
        .lines()
        .filter_map(|line| line.split_once("explored "))
        .map(|(_, explored)| explored)
        .collect();
    let number = |explored: &&str| explored.split(' ').next()?.parse::<u64>().ok();
    let schedules: u64 = configurations.iter().filter_map(number).sum();
    let (walked, violations) = (configurations.len(), u8::from(!succeeded));
    if options.json {
        println!(
            "{{\"level\": 1, \"configurations\": {walked}, \"schedules\": {schedules}, \"violations\": {violations}}}"
        );
    } else {
        println!("{schedules} schedules of {walked} configurations, {violations} violations");
    }
    passed(succeeded)
}

fn program(name: &str, test: &str) -> Step {
    Step::cargo(&[
        "test",
        "--release",
        "--package",
        "tests",
        "--test",
        name,
        "--",
        test,
        "--nocapture",
    ])
}

fn passed(succeeded: bool) -> Result<(), String> {
    let reason = || "a violation was found, or nothing could be run; see above".to_owned();
    succeeded.then_some(()).ok_or_else(reason)
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
        "stale reads",
        "refreshes",
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
                "5 schedules, 40 reads, 7 evictions, 3 refused stores, 2 stale reads, 6 refreshes, 0 violations",
                true
            ),
            "{\"level\": 1, \"schedules\": 5, \"reads\": 40, \"evictions\": 7, \"refused_stores\": 3, \"stale_reads\": 2, \"refreshes\": 6, \"violations\": 0}"
        );
        let line = "2 rounds, 40 reads, 7 evictions, 3 refused stores, 0 violations";
        assert!(said(&PROCESSES, line, true).starts_with("{\"level\": 2, \"rounds\": 2, "));
        assert_eq!(said(&PROCESSES, line, false), line);
    }
}
