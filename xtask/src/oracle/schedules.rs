//! Level 1: random schedules, as many as the time allows.

use super::options::Options;
use crate::run::Step;

/// How the test says what it did.
const REPORT: [&str; 5] = [
    "schedules",
    "reads",
    "evictions",
    "refused stores",
    "violations",
];

pub(super) fn run(options: &Options) -> Result<(), String> {
    let mut step = Step::cargo(&[
        "test",
        "--release",
        "--package",
        "tests",
        "--test",
        "interleavings",
        "--",
        "--nocapture",
    ])
    .env("SECONDS", &options.seconds.to_string());
    if let Some(seed) = options.seed {
        step = step.env("FIRST_SEED", &seed.to_string());
    }
    let (succeeded, output) = step.output()?;
    let line = output
        .lines()
        .rev()
        .find(|line| line.contains("refused stores"));
    if let (Some(line), true) = (line, succeeded) {
        println!(
            "{}",
            if options.json {
                json(line)
            } else {
                line.to_owned()
            }
        );
        return Ok(());
    }
    Err(format!(
        "a violation was found, or nothing could be run:\n{output}"
    ))
}

/// `1 schedules, 2 reads, …` as an object.
fn json(line: &str) -> String {
    let fields = REPORT.iter().filter_map(|name| {
        let part = line.split(", ").find(|part| part.ends_with(name))?;
        let number = part.split(' ').next()?;
        Some(format!("\"{}\": {number}", name.replace(' ', "_")))
    });
    format!(
        "{{\"level\": 1, {}}}",
        fields.collect::<Vec<_>>().join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::json;

    #[test]
    fn the_report_becomes_an_object() {
        assert_eq!(
            json("5 schedules, 40 reads, 7 evictions, 3 refused stores, 0 violations"),
            "{\"level\": 1, \"schedules\": 5, \"reads\": 40, \"evictions\": 7, \"refused_stores\": 3, \"violations\": 0}"
        );
    }
}
