//! The file of figures: what they were taken with, and a line for each path.

use std::fmt;

use super::RECORD;
use super::count::Count;
use super::environment::Environment;

/// What is written down.
#[derive(Debug, PartialEq)]
pub(super) struct Record {
    pub(super) environment: Environment,
    /// In the order of the file: path, instructions of one call.
    pub(super) figures: Vec<(String, u64)>,
}

impl Record {
    pub(super) fn of(environment: &Environment, counts: &[Count]) -> Self {
        let figures = counts
            .iter()
            .map(|count| (count.path.clone(), count.instructions));
        Self {
            environment: environment.clone(),
            figures: figures.collect(),
        }
    }

    /// Reads the file: `#` begins a line for people.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut lines = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let environment = lines.next().and_then(Environment::read);
        let environment =
            environment.ok_or("the first line is to say what the figures were taken with")?;
        let figures = lines
            .map(|line| {
                let mut words = line.split_whitespace();
                match (words.next(), words.next().map(str::parse), words.next()) {
                    (Some(path), Some(Ok(instructions)), None) => {
                        Ok((path.to_owned(), instructions))
                    }
                    _ => Err(format!("`{line}` is no path and its figure")),
                }
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            environment,
            figures,
        })
    }

    pub(super) fn figure(&self, path: &str) -> Option<u64> {
        let (_, figure) = self.figures.iter().find(|(name, _)| name == path)?;
        Some(*figure)
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "# Instructions of one call on each path. Written by `{RECORD}`."
        )?;
        writeln!(f, "{}", self.environment)?;
        let width = self.figures.iter().map(|(path, _)| path.len()).max();
        let width = width.unwrap_or(0);
        for (path, figure) in &self.figures {
            writeln!(f, "{path:width$} {figure:>7}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Environment, Record};

    #[test]
    fn it_is_read_as_it_is_written() {
        let record = Record {
            environment: Environment::read("x86_64: a compiler").unwrap(),
            figures: vec![("hit".to_owned(), 412), ("eviction".to_owned(), 10_613)],
        };
        assert_eq!(Record::read(&record.to_string()), Ok(record));
    }

    #[test]
    fn what_is_no_figure_is_named() {
        let wrong = Record::read("x86_64: a compiler\nhit 4l2\n").unwrap_err();
        assert!(wrong.contains("`hit 4l2`"), "{wrong}");
        assert!(Record::read("hit 412\n").is_err());
    }
}
