//! The guards, and what takes each of them out.

mod engine;
mod scripts;

/// One change that breaks the promise, or leaves something behind.
pub(super) struct Mutation {
    pub(super) name: &'static str,
    pub(super) edits: &'static [Edit],
    pub(super) trial: Trial,
}

/// A text, found once in a file, and what is put in its place.
pub(super) struct Edit {
    pub(super) file: &'static str,
    pub(super) find: &'static str,
    pub(super) replace: &'static str,
}

impl Mutation {
    /// Whether its name has this in it, or the path of a file it changes.
    pub(super) fn is_called(&self, part: &str) -> bool {
        self.name.contains(part) || self.edits.iter().any(|edit| edit.file.contains(part))
    }
}

const fn edit(file: &'static str, find: &'static str, replace: &'static str) -> Edit {
    Edit {
        file,
        find,
        replace,
    }
}

/// What has to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trial {
    /// 100,000 random schedules.
    Schedules,
    /// All orders of a few calls: tests by a part of their names.
    Orders(&'static str),
    /// A minute of processes on a server.
    Processes,
    /// Tests beside the runtime's modules, by a part of their names; those of the Redis tier are against real servers.
    Unit(&'static str),
    /// A program of tests, and a part of its tests' names.
    Tests(&'static str, &'static str),
}

pub(super) fn all() -> impl Iterator<Item = &'static Mutation> {
    engine::ALL.iter().chain(scripts::ALL)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use super::all;
    use crate::run::root;

    #[test]
    fn every_mutation_has_a_name_of_its_own() {
        let names: BTreeSet<_> = all().map(|mutation| mutation.name).collect();
        assert_eq!(names.len(), all().count());
    }

    /// The list cannot outlive the code it is about.
    #[test]
    fn every_text_is_found_once() {
        let mut wrong = Vec::new();
        for mutation in all() {
            for edit in mutation.edits {
                let text = fs::read_to_string(root().join(edit.file)).unwrap();
                let found = text.matches(edit.find).count();
                if found != 1 {
                    wrong.push(format!("`{}`: {found} in {}", mutation.name, edit.file));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
