//! Figures beside recorded ones.
//!
//! With the tools that the record was taken with, a figure that leaves its tolerance either way fails. With others of the same target
//! the same code has other figures: then only growth fails, and only beyond what is left to the tools. A ratio to the bare map, counted
//! in the same run, would be no better: what another compiler makes of a hundred instructions is not what it makes of the
//! thousands that an eviction takes.

use std::fmt;

use super::RECORD;
use super::count::Count;
use super::environment::Environment;
use super::record::Record;

/// What is left to other tools, in percent: chosen, not measured, so that another compiler is no failure of the code.
const OTHER_TOOLS: u64 = 15;

/// How far the two can be compared.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Comparable {
    Exactly,
    /// Other tools of the same target.
    Growth,
    /// Another target.
    Not,
}

/// What is wrong with a path.
#[derive(Debug, PartialEq)]
enum Verdict {
    Fine,
    Grown,
    /// Far less than what is recorded: the record is no longer true.
    Shrunk,
    Unrecorded,
}

/// A table, and whether something in it fails.
#[derive(Debug)]
pub(super) struct Report {
    comparable: Comparable,
    recorded_with: Environment,
    counted_with: Environment,
    rows: Vec<Row>,
    /// Recorded paths that the program has not.
    gone: Vec<String>,
}

#[derive(Debug)]
struct Row {
    count: Count,
    recorded: Option<u64>,
    verdict: Verdict,
}

impl Report {
    pub(super) fn of(record: &Record, here: &Environment, counts: &[Count]) -> Self {
        let comparable = if record.environment.target != here.target {
            Comparable::Not
        } else if record.environment == *here {
            Comparable::Exactly
        } else {
            Comparable::Growth
        };
        let row = |count: &Count| {
            let recorded = record.figure(&count.path);
            Row {
                count: count.clone(),
                recorded,
                verdict: recorded.map_or(Verdict::Unrecorded, |it| judge(comparable, count, it)),
            }
        };
        let is_gone = |path: &&String| !counts.iter().any(|count| count.path == **path);
        let recorded = record.figures.iter().map(|(path, _)| path);
        Self {
            comparable,
            recorded_with: record.environment.clone(),
            counted_with: here.clone(),
            rows: counts.iter().map(row).collect(),
            gone: recorded.filter(is_gone).cloned().collect(),
        }
    }

    /// An error names every path that fails, and what to do.
    pub(super) fn outcome(&self) -> Result<(), String> {
        let mut wrong: Vec<String> = self.rows.iter().filter_map(Row::complaint).collect();
        let gone = self.gone.iter();
        wrong.extend(gone.map(|path| format!("`{path}` is recorded, and is no path any more")));
        if wrong.is_empty() {
            return Ok(());
        }
        Err(format!(
            "the instructions of the hot paths are not the recorded ones:\n  {}\n\
             If the change is meant, `{RECORD}` writes the new figures down; its commit says why.",
            wrong.join("\n  ")
        ))
    }
}

fn judge(comparable: Comparable, count: &Count, recorded: u64) -> Verdict {
    let allowed = match comparable {
        Comparable::Exactly => count.tolerance,
        Comparable::Growth => count.tolerance + OTHER_TOOLS,
        Comparable::Not => return Verdict::Fine,
    };
    // Hundredths, so that nothing is rounded.
    let (counted, room) = (100 * count.instructions, allowed * recorded);
    if counted > 100 * recorded + room {
        Verdict::Grown
    } else if comparable == Comparable::Exactly && counted + room < 100 * recorded {
        Verdict::Shrunk
    } else {
        Verdict::Fine
    }
}

impl Row {
    fn complaint(&self) -> Option<String> {
        let Count {
            path,
            instructions,
            profile,
            ..
        } = &self.count;
        let recorded = self.recorded.unwrap_or(0);
        match self.verdict {
            Verdict::Fine => None,
            Verdict::Grown => Some(format!(
                "`{path}` takes {instructions} instructions a call, and {recorded} are recorded; `callgrind_annotate --inclusive=yes {}` says for what",
                profile.display()
            )),
            Verdict::Shrunk => Some(format!(
                "`{path}` takes only {instructions} instructions a call, and {recorded} are recorded: record the new figure, so that it stays so"
            )),
            Verdict::Unrecorded => Some(format!(
                "`{path}` takes {instructions} instructions a call, and nothing is recorded"
            )),
        }
    }

    /// In percent of what is recorded, with one decimal.
    fn difference(&self) -> String {
        let Some(recorded) = self.recorded.filter(|recorded| *recorded > 0) else {
            return "new".to_owned();
        };
        #[expect(clippy::cast_precision_loss, reason = "for people to read")]
        let share = self.count.instructions as f64 / recorded as f64;
        format!("{:+.1} %", 100.0 * (share - 1.0))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|row| row.count.path.len()).max();
        let width = width.unwrap_or(0);
        writeln!(f, "{:width$}   counted  recorded", "instructions a call")?;
        for row in &self.rows {
            let recorded = row.recorded.map_or("-".to_owned(), |it| it.to_string());
            let Count {
                path, instructions, ..
            } = &row.count;
            let difference = row.difference();
            writeln!(
                f,
                "{path:width$} {instructions:>9} {recorded:>9} {difference:>9}"
            )?;
        }
        let (recorded, here) = (&self.recorded_with, &self.counted_with);
        match self.comparable {
            Comparable::Exactly => write!(f, "with {here}"),
            Comparable::Growth => write!(
                f,
                "recorded with {recorded}\ncounted with  {here}\nThe tools differ: only growth by more than {OTHER_TOOLS} % beyond the tolerance fails."
            ),
            Comparable::Not => write!(
                f,
                "recorded for {recorded}\ncounted for  {here}\nAnother target: nothing is compared."
            ),
        }
    }
}

#[cfg(test)]
mod tests;
