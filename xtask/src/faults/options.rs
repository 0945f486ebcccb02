//! The arguments of `cargo xtask faults`.

use super::USAGE;
use super::table::TABLE;

/// What was asked for.
#[derive(Debug, Default)]
pub(super) struct Options {
    /// The rows; none means all.
    rows: Vec<u8>,
    pub(super) json: bool,
}

impl Options {
    pub(super) fn read(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        for argument in arguments {
            match argument.as_str() {
                "--json" => options.json = true,
                number => options.rows.push(row(number)?),
            }
        }
        Ok(options)
    }

    pub(super) fn wants(&self, row: u8) -> bool {
        self.rows.is_empty() || self.rows.contains(&row)
    }
}

fn row(text: &str) -> Result<u8, String> {
    let number = text.parse().ok();
    number
        .filter(|number| TABLE.iter().any(|row| row.row == *number))
        .ok_or_else(|| format!("`{text}` is no row of the table\n\nusage: {USAGE}"))
}

#[cfg(test)]
mod tests {
    use super::Options;

    fn read(arguments: &[&str]) -> Result<Options, String> {
        let arguments: Vec<_> = arguments.iter().map(|it| (*it).to_owned()).collect();
        Options::read(&arguments)
    }

    #[test]
    fn rows_are_chosen_and_all_are_the_default() {
        let some = read(&["5", "06", "--json"]).unwrap();
        assert!(some.json && some.wants(5) && some.wants(6) && !some.wants(7));
        let all = read(&[]).unwrap();
        assert!(!all.json && all.wants(1) && all.wants(68));
    }

    #[test]
    fn what_is_no_row_is_an_error() {
        for wrong in ["0", "69", "five", "--jason"] {
            let error = read(&[wrong]).unwrap_err();
            assert!(error.contains(&format!("`{wrong}` is no row")), "{error}");
        }
    }
}
