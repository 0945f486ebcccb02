//! `runner [--quick] [--json FILE] [--only MEASURE…]`: builds the candidates, runs the plan, writes the page.
//! `runner --from FILE`: writes the page from what an earlier run left in FILE.
//!
//! ```text
//! plan       which measures there are, of which candidates, with which parameters: data
//! build      each candidate built on its own
//! measure    a fresh process for each candidate and repetition, in turns
//! server     a fresh Redis server for each process, where the measure needs one
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
mod program;
mod server;
mod table;

use figures::{Results, Run, Taken};
use options::Options;
use std::fs;
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
    if let Some(file) = &options.from {
        let text = fs::read_to_string(file)
            .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        return page::write(&Run::read(&text)?);
    }
    let measures = options.chosen()?;
    for package in plan::packages(&measures) {
        build::candidate(package)?;
    }
    let taken = Taken::here(options.quick);
    let mut run = Run {
        taken,
        results: Vec::new(),
    };
    for measure in measures {
        run.results.push(measure::run(measure, options)?);
        // What was found so far is worth keeping if a later measure fails.
        if let Some(file) = &options.json {
            fs::write(file, run.json())
                .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        }
    }
    page::write(&run)?;
    let failures: Vec<_> = run.results.iter().flat_map(Results::failures).collect();
    match failures.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "the page is written, but these failed: {}",
            failures.join(", ")
        )),
    }
}
