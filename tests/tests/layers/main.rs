//! Which folder of the runtime imports which, compared with a table; the table is the documentation.
//!
//! Imports go downward only. What goes upward stands in the table with the reason why it does, so that a new one is a
//! decision and not an accident. Read are all paths that begin with `crate::` or `super::`, in `use` lines and elsewhere;
//! tests and comments are left out. `ARCHITECTURE.md` shows the same table.

mod paths;
mod sources;
mod table;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
};

use paths::words;
use sources::{folder_of, imports, module_of, sources};
use table::{TABLE, shown};

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
