//! Takes the samples of one measure: for each point, the candidates in turns, each sample a process of its own.

use crate::figures::Results;
use crate::options::Options;
use crate::plan::{Measure, Way};
use crate::{build_cost, program};

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
                Way::Program(told) => program::sample(told, shown, place, options.quick)?,
                Way::Redis { told, processes } => {
                    program::sample_with_redis(told, processes, shown, place, options.quick)?
                }
                Way::CleanBuild => build_cost::sample(shown.package)?,
            };
            results.add(point, candidate, sample);
        }
    }
    Ok(results)
}
