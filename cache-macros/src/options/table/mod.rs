//! The table. Everything the reader of a list has to know about an option is in its row.

mod entries;
mod freshness;

use super::{Form, Load, Macro, Row};

/// One row per option; two where macros read the same name differently.
pub(super) fn rows() -> impl Iterator<Item = &'static Row> {
    entries::ENTRIES.iter().chain(freshness::FRESHNESS)
}

const NONE: &[(&str, &str)] = &[];

const fn row(
    name: &'static str,
    macros: &'static [Macro],
    form: Form,
    example: &'static str,
    excludes: &'static [(&'static str, &'static str)],
) -> Row {
    Row {
        name,
        macros,
        form,
        example,
        excludes,
        requires: None,
        load: Load::Awaited,
    }
}

impl Row {
    const fn requires(mut self, other: &'static str) -> Self {
        self.requires = Some(other);
        self
    }

    const fn load(mut self, load: Load) -> Self {
        self.load = load;
        self
    }
}

const fn duration(setter: &'static str, zero: Option<&'static str>) -> Form {
    Form::Duration { setter, zero }
}

#[cfg(test)]
mod tests {
    use super::rows;
    use crate::options::Macro;

    #[test]
    fn no_macro_has_two_rows_for_a_name() {
        for which in [Macro::Cacheable, Macro::Evict, Macro::Put] {
            let mut names: Vec<_> = rows()
                .filter(|row| row.macros.contains(&which))
                .map(|row| row.name)
                .collect();
            let all = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), all, "{which:?}");
        }
    }

    #[test]
    fn exclusions_and_requirements_name_options_of_the_table() {
        let excluded = rows().flat_map(|row| row.excludes).map(|(other, _)| *other);
        for other in excluded.chain(rows().filter_map(|row| row.requires)) {
            assert!(rows().any(|row| row.name == other), "{other}");
        }
    }
}
