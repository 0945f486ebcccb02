//! What the tests have told, as a table or as JSON.

use std::fmt::Write;

use super::table::{Proof, Row};

/// A row and what came of it.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) row: &'static Row,
    /// The figures, or why there are none.
    pub(super) measured: String,
    pub(super) holds: bool,
}

impl Verdict {
    /// It has a test, and that failed.
    pub(super) fn is_failure(&self) -> bool {
        self.row.proof == Proof::Tests && !self.holds
    }
}

/// The figures a row's tests have told, `fault 05: measured …`, one after the other.
pub(super) fn figures(row: u8, said: &str) -> String {
    let begin = format!("fault {row:02}: measured ");
    let figures = said
        .lines()
        .filter_map(|line| line.split_once(&begin).map(|(_, figure)| figure.trim()));
    figures.collect::<Vec<_>>().join("; ")
}

pub(super) fn shown(verdicts: &[Verdict], json: bool) -> String {
    if json {
        as_json(verdicts)
    } else {
        as_table(verdicts)
    }
}

fn as_json(verdicts: &[Verdict]) -> String {
    let objects = verdicts.iter().map(|it| {
        format!(
            "  {{\"row\": {}, \"fault\": {}, \"required\": {}, \"measured\": {}, \"holds\": {}}}",
            it.row.row,
            quoted(it.row.fault),
            quoted(it.row.required),
            quoted(&it.measured),
            it.holds
        )
    });
    format!("[\n{}\n]\n", objects.collect::<Vec<_>>().join(",\n"))
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn as_table(verdicts: &[Verdict]) -> String {
    let mut table = String::new();
    for it in verdicts {
        let mark = match (it.holds, it.row.proof) {
            (true, _) => "holds",
            (false, Proof::Tests) => "FAILS",
            (false, Proof::Missing(_)) => "not held",
        };
        // Writing to a string does not fail.
        let _ = writeln!(table, "{:>2}  {mark:<8}  {}", it.row.row, it.row.fault);
        let _ = writeln!(table, "    required  {}", it.row.required);
        let what = match it.row.proof {
            Proof::Tests => "measured",
            Proof::Missing(_) => "because",
        };
        let _ = writeln!(table, "    {what:<8}  {}", it.measured);
    }
    let count = |holds: bool| verdicts.iter().filter(|it| it.holds == holds).count();
    let untested = verdicts.iter().filter(|it| it.row.proof != Proof::Tests);
    let untested = untested.count();
    let _ = writeln!(
        table,
        "\n{} rows: {} hold, {} fail, {untested} have no test",
        verdicts.len(),
        count(true),
        count(false) - untested
    );
    table
}

#[cfg(test)]
mod tests;
