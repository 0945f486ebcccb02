//! Whether the documents know the table: each option of a macro, and nothing else, stands where people look it up.

mod pages;

use std::collections::BTreeSet;

use super::{Macro, table};

const README: &str = include_str!("../../README.md");

/// What the table has for `which`.
fn accepted(which: Macro) -> BTreeSet<&'static str> {
    table::rows()
        .filter(|row| row.macros.contains(&which))
        .map(|row| row.name)
        .collect()
}

/// The section of the README on `which`.
fn section(which: Macro) -> &'static str {
    let heading = format!("\n### `#[{}(…)]`\n", which.name());
    let (_, section) = README
        .split_once(&heading)
        .unwrap_or_else(|| panic!("no heading {heading:?}"));
    section.split("\n#").next().unwrap_or(section)
}

fn help(which: Macro) -> &'static str {
    match which {
        Macro::Cacheable => include_str!("../docs/cacheable.md"),
        Macro::Evict => include_str!("../docs/cache_evict.md"),
        Macro::Put => include_str!("../docs/cache_put.md"),
    }
}

/// The options that `text` describes: the first column of its table, or the sentence that lists them.
fn described(text: &str) -> BTreeSet<&str> {
    let mut columns = text
        .lines()
        .filter(|line| line.starts_with('|'))
        .filter_map(|line| line.split('|').nth(1))
        .peekable();
    if columns.peek().is_some() {
        return columns.flat_map(names).collect();
    }
    let listing = text
        .split("\n\n")
        .find(|paragraph| paragraph.contains("`key` (required)"))
        .expect("options are described in a table, or in a sentence that begins with the key");
    listing.split('.').take(1).flat_map(names).collect()
}

/// The names in backticks, without their arguments and without attributes.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(|code| !code.starts_with('#'))
        .filter_map(|code| code.split('(').next())
}

#[test]
fn documents_describe_the_options_of_the_table_and_no_others() {
    for which in [Macro::Cacheable, Macro::Evict, Macro::Put] {
        let accepted = accepted(which);
        assert_eq!(described(section(which)), accepted, "README.md, {which:?}");
        assert_eq!(described(help(which)), accepted, "src/docs, {which:?}");
    }
}
