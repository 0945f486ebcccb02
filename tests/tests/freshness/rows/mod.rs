//! The rows of `docs/combinations.md`, one after the other.
//!
//! A comment `// Row: <heading>: <first cell>` stands above each test that shows a row; that none is missing is a test as well.

mod ends;
mod environment;
mod expired;
mod forced;
mod fresh;
mod happenings;
mod hooks;
mod jitter;
mod loads;
mod puts;
mod redis_down;
mod redis_slow;
mod refused;
mod stale;
mod tiers;
mod timeouts;
mod values;
mod waiting;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn rows() -> BTreeSet<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/combinations.md");
    let page = fs::read_to_string(page).expect("the page is there");
    let (mut heading, mut rows) = (String::new(), BTreeSet::new());
    for line in page.lines() {
        if let Some(text) = line.strip_prefix("## ") {
            heading = text.replace('`', "");
        }
        let cells: Vec<_> = line.split(" | ").collect();
        let Some(first) = line.strip_prefix("| ").filter(|_| cells.len() > 1) else {
            continue;
        };
        let first = first.split(" | ").next().unwrap_or(first).replace('`', "");
        if !first.starts_with("---") && !is_head(&first) {
            rows.insert(format!("{heading}: {first}"));
        }
    }
    rows
}

fn is_head(cell: &str) -> bool {
    matches!(cell, "option" | "options" | "when" | "what" | "where")
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("it is a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn every_row_has_a_test() {
    let mut files = Vec::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/freshness"),
        &mut files,
    );
    let mut shown = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file).expect("it is text");
        let marks = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("// Row: "));
        shown.extend(marks.map(ToOwned::to_owned));
    }
    let rows = rows();
    assert!(rows.len() > 140, "{}", rows.len());
    let missing: Vec<_> = rows.difference(&shown).collect();
    assert!(missing.is_empty(), "without a test: {missing:#?}");
    let unknown: Vec<_> = shown.difference(&rows).collect();
    assert!(
        unknown.is_empty(),
        "not in docs/combinations.md: {unknown:#?}"
    );
}
