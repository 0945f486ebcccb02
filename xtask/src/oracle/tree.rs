//! A copy of the workspace, to change without harm.
//!
//! A text that is not found is an error, so the list of mutations cannot outlive the code it is about.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::mutations::Mutation;
use crate::run::root;

/// What files were before they were changed.
pub(super) type Originals = BTreeMap<PathBuf, String>;

/// The files that belong to the workspace, as they stand.
pub(super) fn copy(tree: &Path) -> Result<(), String> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .map_err(|error| format!("cannot run `git ls-files`: {error}"))?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    for file in listed.lines() {
        let (from, to) = (root().join(file), tree.join(file));
        let copied = if from.is_symlink() {
            copy_link(&from, &to)
        } else if from.is_file() {
            copy_changed(&from, &to)
        } else {
            continue;
        };
        copied.map_err(|error| format!("{file}: {error}"))?;
    }
    Ok(())
}

/// A link within the workspace leads to the same place in the copy.
fn copy_link(from: &Path, to: &Path) -> std::io::Result<()> {
    let target = fs::read_link(from)?;
    if fs::read_link(to).is_ok_and(|old| old == target) {
        return Ok(());
    }
    if fs::symlink_metadata(to).is_ok() {
        fs::remove_file(to)?;
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    std::os::unix::fs::symlink(target, to)
}

/// A file that is as it was is left alone, so that it is not built again.
fn copy_changed(from: &Path, to: &PathBuf) -> std::io::Result<()> {
    let new = fs::read(from)?;
    if fs::read(to).is_ok_and(|old| old == new) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(to, new)
}

/// Writes the mutated files; what they were before.
pub(super) fn apply(tree: &Path, mutation: &Mutation) -> Result<Originals, String> {
    let (mut originals, mut mutated) = (Originals::new(), Originals::new());
    for edit in mutation.edits {
        let path = tree.join(edit.file);
        if !mutated.contains_key(&path) {
            let text = fs::read_to_string(&path);
            let text = text.map_err(|error| format!("{}: {error}", edit.file))?;
            originals.insert(path.clone(), text.clone());
            mutated.insert(path.clone(), text);
        }
        let text = mutated.entry(path).or_default();
        if text.matches(edit.find).count() != 1 {
            return Err(format!(
                "`{}`: {} does not have the text once",
                mutation.name, edit.file
            ));
        }
        *text = text.replacen(edit.find, edit.replace, 1);
    }
    for (path, text) in &mutated {
        write(path, text)?;
    }
    Ok(originals)
}

/// Puts back what was there.
pub(super) fn restore(originals: &Originals) -> Result<(), String> {
    let mut files = originals.iter();
    files.try_for_each(|(path, text)| write(path, text))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
