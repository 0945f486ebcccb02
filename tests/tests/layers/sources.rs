//! The runtime's sources, and which folder each of their paths leads to.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::paths::{paths, words};

/// By folder, the folders it imports, each with a file that does.
pub(crate) fn imports() -> BTreeMap<String, BTreeMap<String, String>> {
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
pub(crate) fn sources() -> Vec<(PathBuf, String)> {
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
pub(crate) fn module_of(path: &Path) -> Vec<String> {
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
pub(crate) fn folder_of(path: &[String]) -> String {
    match path {
        [] => String::new(),
        [tiers, tier, ..] if tiers == "tiers" && (tier == "redis" || tier == "memory") => {
            format!("tiers/{tier}")
        }
        [folder, ..] => folder.clone(),
    }
}
