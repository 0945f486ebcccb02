//! The command line.

use crate::plan::{MEASURES, Measure};
use std::env;
use std::path::PathBuf;

#[derive(Debug, Default)]
pub(crate) struct Options {
    /// Short runs, three repetitions.
    pub(crate) quick: bool,
    /// Where all samples go as JSON.
    pub(crate) json: Option<PathBuf>,
    /// Where they come from, instead of a run.
    pub(crate) from: Option<PathBuf>,
    /// Names of measures; empty for all.
    only: Vec<String>,
}

impl Options {
    pub(crate) fn from_arguments() -> Result<Options, String> {
        let mut options = Options::default();
        let mut arguments = env::args().skip(1).peekable();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => options.quick = true,
                "--json" | "--from" => {
                    let file = arguments.next();
                    let file = file.ok_or_else(|| format!("`{argument}` is followed by a file"))?;
                    match argument.as_str() {
                        "--json" => options.json = Some(file.into()),
                        _ => options.from = Some(file.into()),
                    }
                }
                "--only" => {
                    while let Some(name) = arguments.next_if(|next| !next.starts_with("--")) {
                        options.only.push(name);
                    }
                    if options.only.is_empty() {
                        return Err(format!("`--only` is followed by measures: {}", names()));
                    }
                }
                other => {
                    return Err(format!(
                        "unknown argument `{other}`: [--quick] [--json FILE] [--only MEASURE…], or --from FILE"
                    ));
                }
            }
        }
        Ok(options)
    }

    pub(crate) fn chosen(&self) -> Result<Vec<&'static Measure>, String> {
        if self.only.is_empty() {
            return Ok(MEASURES.iter().collect());
        }
        let known = |name: &String| {
            let measure = MEASURES.iter().find(|measure| measure.name == name);
            measure.ok_or_else(|| format!("no measure is called `{name}`; there are: {}", names()))
        };
        self.only.iter().map(known).collect()
    }

    pub(crate) fn repetitions(&self, measure: &Measure) -> usize {
        match self.quick {
            true => 3,
            false => measure.repetitions,
        }
    }
}

fn names() -> String {
    let names: Vec<_> = MEASURES.iter().map(|measure| measure.name).collect();
    names.join(", ")
}
