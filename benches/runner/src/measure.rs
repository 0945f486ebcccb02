//! Takes the samples of one measure: for each point, the candidates in turns, each sample a process of its own.

use crate::figures::{Results, Sample};
use crate::options::Options;
use crate::plan::{Candidate, Measure, Point, Way};
use crate::{build, build_cost};
use serde_json::Value;
use std::process::{Command, Stdio};

pub(crate) fn run(measure: &'static Measure, options: &Options) -> Result<Results, String> {
    let repetitions = options.repetitions(measure);
    let mut results = Results::new(measure);
    // The outer loop is the repetition, so that a candidate's samples lie as far apart as the run is long.
    for repetition in 0..repetitions {
        for (point, candidate) in measure.cells() {
            let (place, shown) = (&measure.points[point], &measure.candidates[candidate]);
            if place.slow && options.quick {
                continue;
            }
            let name = shown.name();
            eprintln!(
                "bench: {} {}/{repetitions}: {name} {}",
                measure.name,
                repetition + 1,
                place.parameters.join(" ")
            );
            let sample = match measure.way {
                Way::Program(told) => program(told, shown, place, options)?,
                Way::CleanBuild => build_cost::sample(shown.package)?,
            };
            results.add(point, candidate, sample);
        }
    }
    Ok(results)
}

/// One process of a candidate.
fn program(
    told: &str,
    candidate: &Candidate,
    point: &Point,
    options: &Options,
) -> Result<Sample, String> {
    let program = build::program(candidate.package)
        .map_err(|error| format!("cannot find myself: {error}"))?;
    let mut command = Command::new(&program);
    command
        .args([candidate.variant, told])
        .args(point.parameters)
        .stderr(Stdio::inherit());
    if options.quick {
        command.arg("quick=yes");
    }
    let failed = |reason: String| format!("{}: {reason}", program.display());
    let output = command
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        // It has said why. The others are worth measuring all the same; the run as a whole fails in the end.
        return Ok(Sample::Failed);
    }
    parsed(&String::from_utf8_lossy(&output.stdout)).map_err(failed)
}

/// The last line of what a candidate says is its result; a library may have printed something before.
fn parsed(output: &str) -> Result<Sample, String> {
    let line = output.lines().last().ok_or("said nothing")?;
    let value: Value =
        serde_json::from_str(line).map_err(|error| format!("{error} in `{line}`"))?;
    Sample::read(&value)
}
