//! `runner [--quick] [--json FILE] [--only MEASURE…]`: builds the candidates, runs the plan, writes the page.
//!
//! ```text
//! plan       which measures there are, of which candidates, with which parameters: data
//! build      each candidate built on its own
//! measure    a fresh process for each candidate and repetition, in turns
//! figures    medians, ranges, ratios within a repetition
//! page       tables and plots, put into the page where they belong
//! ```
//!
//! Only ratios inside one run mean anything, so the candidates of a measure take turns: A B C A B C, and a ratio is taken between two
//! neighbours before the median is.

mod build;
mod build_cost;
mod figures;
mod machine;
mod measure;
mod options;
mod page;
mod plan;
mod plot;
mod table;

use options::Options;
use std::process::ExitCode;

fn main() -> ExitCode {
    match Options::from_arguments().and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("bench: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let measures = options.chosen()?;
    for package in plan::packages(&measures) {
        build::candidate(package)?;
    }
    let mut results = Vec::new();
    for measure in measures {
        results.push(measure::run(measure, options)?);
    }
    if let Some(file) = &options.json {
        let json = figures::json(&results);
        std::fs::write(file, json)
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    }
    page::write(&results, options)
}
