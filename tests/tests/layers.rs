//! Which folder of the runtime imports which, compared with a table; the table is the documentation.
//!
//! Imports go downward only. What goes upward stands in the table with the reason why it does, so that a new one is a
//! decision and not an accident. Read are all paths that begin with `crate::` or `super::`, in `use` lines and elsewhere;
//! tests and comments are left out. `ARCHITECTURE.md` shows the same table.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// A folder (or a file at the top), what it imports from below, and what from above, with the reason.
struct Row {
    folder: &'static str,
    below: &'static [&'static str],
    above: &'static [(&'static str, &'static str)],
}

/// From the top down.
const TABLE: &[Row] = &[
    row("testing", &["cache", "tiers", "ports", "entry", "key"], &[]),
    row(
        "__private",
        &["door", "cache", "site", "policy", "key"],
        &[],
    ),
    row(
        "door",
        &[
            "cache",
            "site",
            "engine",
            "flight",
            "tiers/memory",
            "policy",
            "observe",
            "entry",
            "key",
            "error",
        ],
        &[],
    ),
    row(
        "cache",
        &[
            "site",
            "engine",
            "flight",
            "tiers/redis",
            "tiers/memory",
            "tiers",
            "policy",
            "observe",
            "ports",
            "entry",
            "key",
            "error",
        ],
        &[(
            "testing",
            "with `test-util` the builder takes a model in the place of Redis, and a clock",
        )],
    ),
    row(
        "site",
        &["flight", "policy", "key"],
        &[(
            "cache",
            "a site remembers its counters in the first cache that called it",
        )],
    ),
    row(
        "engine",
        &[
            "flight",
            "tiers/memory",
            "tiers",
            "policy",
            "observe",
            "ports",
            "entry",
            "key",
            "error",
        ],
        &[
            (
                "cache",
                "`Core` holds the counters by site and the journal's task; a call reports to its scope",
            ),
            (
                "site",
                "`Hooks` and `Share` are what a site says about its values: data",
            ),
        ],
    ),
    row("flight", &["tiers/memory", "entry", "key"], &[]),
    row("tiers/redis", &["tiers", "entry", "key"], &[]),
    row("tiers/memory", &["entry"], &[]),
    row("tiers", &["entry", "key"], &[]),
    row("policy", &["entry"], &[]),
    row("observe", &[], &[]),
    row("ports", &[], &[]),
    row("entry", &[], &[]),
    row("key", &[], &[]),
    row("error", &[], &[]),
];

const fn row(
    folder: &'static str,
    below: &'static [&'static str],
    above: &'static [(&'static str, &'static str)],
) -> Row {
    Row {
        folder,
        below,
        above,
    }
}

#[test]
fn folders_import_what_the_table_says() {
    let found = imports();
    let mut wrong = String::new();
    for row in TABLE {
        let said: BTreeSet<&str> = row
            .below
            .iter()
            .copied()
            .chain(row.above.iter().map(|(folder, _)| *folder))
            .collect();
        let none = BTreeMap::new();
        let found = found.get(row.folder).unwrap_or(&none);
        for (folder, file) in found {
            if !said.contains(folder.as_str()) {
                let _ = writeln!(
                    wrong,
                    "{} imports {folder}, which the table does not say ({file})",
                    row.folder
                );
            }
        }
        for folder in said {
            if !found.contains_key(folder) {
                let _ = writeln!(
                    wrong,
                    "{} does not import {folder}, though the table says so",
                    row.folder
                );
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn the_table_goes_downward_except_with_a_reason() {
    let place = |folder: &str| TABLE.iter().position(|row| row.folder == folder);
    for (at, row) in TABLE.iter().enumerate() {
        for folder in row.below {
            let below = place(folder).is_some_and(|place| place > at);
            assert!(below, "{folder} is not below {}", row.folder);
        }
        for (folder, reason) in row.above {
            let above = place(folder).is_some_and(|place| place < at);
            assert!(above, "{folder} is not above {}", row.folder);
            assert!(
                !reason.is_empty(),
                "why does {} import {folder}?",
                row.folder
            );
        }
    }
}

#[test]
fn every_folder_is_in_the_table() {
    for (path, _) in sources() {
        let folder = folder_of(&module_of(&path));
        let known = folder.is_empty() || TABLE.iter().any(|row| row.folder == folder);
        assert!(known, "{} is in no row", path.display());
    }
}

#[test]
fn only_the_redis_tier_spells_redis() {
    for (path, text) in sources() {
        if path.starts_with("tiers/redis") {
            continue;
        }
        let words = words(&text);
        let spelled = words.windows(3).any(|at| {
            let path = at[0] != "::" && at[1] == "redis" && at[2] == "::";
            let import = at[0] == "use" && at[1] == "redis";
            path || import
        });
        assert!(!spelled, "{} spells `redis::`", path.display());
    }
}

#[test]
fn the_architecture_shows_the_same_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ARCHITECTURE.md");
    let text = fs::read_to_string(&path).expect("ARCHITECTURE.md stands beside the workspace");
    let table = shown();
    assert!(
        text.contains(&table),
        "ARCHITECTURE.md does not show this table:\n\n{table}"
    );
}

/// The table as a page shows it.
fn shown() -> String {
    let mut page = String::from("| folder | imports | upward, and why |\n| --- | --- | --- |\n");
    for row in TABLE {
        let below: Vec<_> = row
            .below
            .iter()
            .map(|folder| format!("`{folder}`"))
            .collect();
        let above: Vec<_> = row
            .above
            .iter()
            .map(|(folder, why)| format!("`{folder}`: {why}"))
            .collect();
        let _ = writeln!(
            page,
            "| `{}` | {} | {} |",
            row.folder,
            below.join(", "),
            above.join("; ")
        );
    }
    page
}

/// By folder, the folders it imports, each with a file that does.
fn imports() -> BTreeMap<String, BTreeMap<String, String>> {
    let sources = sources();
    let root = exports(&sources);
    let mut found: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (path, text) in &sources {
        let module = module_of(path);
        let from = folder_of(&module);
        for path_named in paths(&words(text), &module) {
            let to = match root.get(path_named.first().map_or("", String::as_str)) {
                Some(folder) => folder.clone(),
                None => folder_of(&path_named),
            };
            if to != from && !to.is_empty() && !from.is_empty() {
                let files = found.entry(from.clone()).or_default();
                files
                    .entry(to)
                    .or_insert_with(|| path.display().to_string());
            }
        }
    }
    found
}

/// What `lib.rs` exports at the root of the crate, and from which folder.
fn exports(sources: &[(PathBuf, String)]) -> BTreeMap<String, String> {
    let lib = sources.iter().find(|(path, _)| path == Path::new("lib.rs"));
    let (_, text) = lib.expect("a crate has a root");
    let named = paths(&words(text), &[])
        .into_iter()
        .filter(|path| path.len() > 1);
    named
        .map(|path| (path[path.len() - 1].clone(), folder_of(&path)))
        .collect()
}

/// The sources of the runtime without its tests, by their path below `src`.
fn sources() -> Vec<(PathBuf, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cache-runtime/src");
    let mut sources = Vec::new();
    let mut folders = vec![src.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the runtime stands beside the tests") {
            let path = entry.expect("a folder can be read to its end").path();
            let name = path.file_stem().unwrap_or_default();
            if name == "tests" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source is text");
                let below = path.strip_prefix(&src).expect("it was found there");
                sources.push((below.to_owned(), text));
            }
        }
    }
    assert!(sources.len() > 50, "the sources have moved");
    sources
}

/// `cache/builder.rs` → `cache`, `builder`.
fn module_of(path: &Path) -> Vec<String> {
    let whole = path.with_extension("");
    let mut module: Vec<String> = whole
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if module
        .last()
        .is_some_and(|name| name == "mod" || name == "lib")
    {
        module.pop();
    }
    module
}

/// The row a path belongs to: the two tiers have one of their own.
fn folder_of(path: &[String]) -> String {
    match path {
        [] => String::new(),
        [tiers, tier, ..] if tiers == "tiers" && (tier == "redis" || tier == "memory") => {
            format!("tiers/{tier}")
        }
        [folder, ..] => folder.clone(),
    }
}

/// Names, `::`, `$` and punctuation of a source, without its comments, texts and characters.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if first == '"' {
            end_of_text(rest)
        } else if first == '\'' {
            end_of_character(rest)
        } else {
            let length = match rest.find(|c| !is_name(c)) {
                Some(0) if rest.starts_with("::") => 2,
                Some(0) => first.len_utf8(),
                end => end.unwrap_or(rest.len()),
            };
            words.push(&rest[..length]);
            length
        };
        rest = rest[length..].trim_start();
    }
    words
}

fn end_of_text(rest: &str) -> usize {
    let mut escaped = true;
    for (at, c) in rest.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// `'a'` and `'\''` are characters, `'a` is a lifetime, of which the quote alone is skipped.
fn end_of_character(rest: &str) -> usize {
    let mut after = rest.char_indices().skip(1);
    match after.next() {
        Some((at, '\\')) => rest[at + 2..].find('\'').map_or(1, |end| at + end + 3),
        Some(_) => match after.next() {
            Some((at, '\'')) => at + 1,
            _ => 1,
        },
        None => 1,
    }
}

/// The paths that begin with `crate::` or `super::`, from the root of the crate.
fn paths(words: &[&str], file: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut module = file.to_vec();
    // Braces that are open, and whether they are a module's.
    let mut open = Vec::new();
    let mut at = 0;
    while at < words.len() {
        match words[at..] {
            ["#", "[", "cfg", "(", "test", ")", "]", "mod", _, "{", ..] => {
                at = past_block(words, at + 9);
                continue;
            }
            ["mod", name, "{", ..] => {
                module.push(name.to_owned());
                open.push(true);
                at += 2;
            }
            ["{", ..] => open.push(false),
            ["}", ..] => {
                let of_module = open.pop() == Some(true);
                module.truncate(module.len() - usize::from(of_module));
            }
            ["crate" | "super", "::", ..] if at == 0 || words[at - 1] != "$" => {
                at = tree(words, at, &module, &mut found);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Reads one path or `use` tree at `at`, below `prefix`; returns where it ends.
fn tree(words: &[&str], mut at: usize, prefix: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = prefix.to_vec();
    loop {
        match words.get(at).copied() {
            Some("crate") => path.clear(),
            Some("super") => drop(path.pop()),
            Some("self" | "*") => {}
            Some("{") => {
                at += 1;
                while words[at] != "}" {
                    at = tree(words, at, &path, found);
                    at += usize::from(words[at] == ",");
                }
                return at + 1;
            }
            Some(name) => path.push(name.to_owned()),
            None => break,
        }
        at += 1;
        if words.get(at) != Some(&"::") || words.get(at + 1) == Some(&"<") {
            break;
        }
        at += 1;
    }
    found.push(path);
    at + if words.get(at) == Some(&"as") { 2 } else { 0 }
}

/// After the brace that closes the one at `at`.
fn past_block(words: &[&str], mut at: usize) -> usize {
    let mut depth = 0;
    while at < words.len() {
        match words[at] {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            break;
        }
    }
    at
}

#[test]
fn paths_are_read_wherever_they_stand() {
    let text = r#"
        //! crate::comment::x
        use crate::{a::{self, B}, c::D as E};
        #[cfg(test)]
        mod tests { use crate::test::X; }
        mod inner { use super::{super::up::Y, near::Z}; }
        fn f<'a>(_: &'a str) -> super::far::T { "crate::text::t"; '"'; crate::g::<u8>() }
        $crate::macros::m!();
    "#;
    let module = ["x", "y"].map(str::to_owned);
    let read: Vec<String> = paths(&words(text), &module)
        .iter()
        .map(|path| path.join("::"))
        .collect();
    let expected = [
        "a",
        "a::B",
        "c::D",
        "x::up::Y",
        "x::y::near::Z",
        "x::far::T",
        "g",
    ];
    assert_eq!(read, expected);
}
