//! A result is one line of JSON on the standard output: `{"figures":{"ns_per_op":83.1}}`, or `{"unsupported":"owned values"}`.

use std::process;

/// The figures of one run of one measure.
#[derive(Debug, Default)]
pub struct Report {
    figures: Vec<(&'static str, f64)>,
}

impl Report {
    pub fn new() -> Report {
        Report::default()
    }

    /// A figure that means nothing (not a number, or infinite) is left out.
    pub fn figure(mut self, name: &'static str, value: f64) -> Report {
        if value.is_finite() {
            self.figures.push((name, value));
        }
        self
    }

    /// One that there may be no way to know.
    pub fn perhaps(self, name: &'static str, value: Option<f64>) -> Report {
        match value {
            Some(value) => self.figure(name, value),
            None => self,
        }
    }

    pub(crate) fn print(&self, measure: &str, candidate: &str) {
        let figures = self.figures.iter();
        let figures: Vec<_> = figures
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        let figures = figures.join(",");
        println!(
            "{{\"measure\":\"{measure}\",\"candidate\":\"{candidate}\",\"figures\":{{{figures}}}}}"
        );
    }
}

/// Ends the process: the library has no such thing.
pub(crate) fn unsupported(what: &str) -> ! {
    println!("{{\"unsupported\":\"{what}\"}}");
    process::exit(0)
}
