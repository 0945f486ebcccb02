//! Whether each option has its page, and each macro shows the pages of its options.

use std::collections::BTreeSet;
use std::fs;

use super::{Macro, accepted};

const MACROS: [Macro; 3] = [Macro::Cacheable, Macro::Evict, Macro::Put];
const LIB: &str = include_str!("../../lib.rs");
const FOLDER: &str = "docs/options/";

/// The pages there are, by the names of their files.
fn pages() -> BTreeSet<String> {
    let folder = format!("{}/src/{FOLDER}", env!("CARGO_MANIFEST_DIR"));
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
    files
        .map(|file| file.expect("a folder of this crate can be listed"))
        .map(|file| file.file_name().to_string_lossy().into_owned())
        .map(|name| {
            let page = name.strip_suffix(".md");
            page.unwrap_or_else(|| panic!("{name} is no page"))
                .to_owned()
        })
        .collect()
}

fn text(page: &str) -> String {
    let file = format!("{}/src/{FOLDER}{page}.md", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The pages in the documentation of `which`, in their order.
fn included(which: Macro) -> Vec<&'static str> {
    let function = format!("\npub fn {}(", which.name());
    let (before, _) = LIB
        .split_once(&function)
        .unwrap_or_else(|| panic!("no function {function:?}"));
    let attributes = before.rsplit("\n\n").next().unwrap_or(before);
    let paths = attributes.split("include_str!(\"").skip(1);
    paths
        .filter_map(|rest| rest.strip_prefix(FOLDER)?.split_once(".md\""))
        .map(|(page, _)| page)
        .collect()
}

#[test]
fn every_option_has_a_page_and_every_page_is_an_option() {
    let options: BTreeSet<_> = MACROS
        .into_iter()
        .flat_map(accepted)
        .map(str::to_owned)
        .collect();
    assert_eq!(pages(), options);
}

#[test]
fn a_macro_shows_the_pages_of_its_options_once_each_and_no_others() {
    for which in MACROS {
        let shown = included(which);
        let once: BTreeSet<_> = shown.iter().copied().collect();
        assert_eq!(once.len(), shown.len(), "{which:?} shows a page twice");
        assert_eq!(once, accepted(which), "{which:?}");
    }
}

#[test]
fn a_page_has_its_name_an_example_what_it_costs_and_its_limits() {
    for page in pages() {
        let text = text(&page);
        assert!(text.starts_with(&format!("# `{page}`\n\n")), "{page}");
        assert!(text.contains("\n```rust"), "{page} has no example");
        for part in ["\n**Costs**", "\n**Not promised**"] {
            assert!(text.contains(part), "{page} does not say {part:?}");
        }
    }
}
