//! Counting: two runs of each path, and what one call more costs.

use std::fs;
use std::path::{Path as File, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::server::Server;
use crate::run::Step;

/// What the program lists.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Path {
    pub(super) name: String,
    /// Calls of the shorter run and of the longer one.
    pub(super) runs: (u64, u64),
    /// How far two counts of the same program may be apart, in percent.
    pub(super) tolerance: u64,
}

/// What one call costs.
#[derive(Clone, Debug)]
pub(super) struct Count {
    pub(super) path: String,
    pub(super) instructions: u64,
    pub(super) tolerance: u64,
    /// The profile of the longer run.
    pub(super) profile: PathBuf,
}

impl Path {
    pub(super) fn read_all(list: &str) -> Result<Vec<Path>, String> {
        let paths: Option<Vec<_>> = list.lines().map(Path::read).collect();
        let paths = paths.filter(|paths| !paths.is_empty());
        paths.ok_or_else(|| format!("`hotpaths` lists no paths:\n{list}"))
    }

    fn read(line: &str) -> Option<Path> {
        let (name, figures) = line.split_once(' ')?;
        let figures: Vec<u64> = figures
            .split(' ')
            .map(|figure| figure.parse().ok())
            .collect::<Option<_>>()?;
        let [few, many, tolerance] = figures[..] else {
            return None;
        };
        (few < many).then(|| Path {
            name: name.to_owned(),
            runs: (few, many),
            tolerance,
        })
    }

    fn count(&self, program: &File, folder: &File) -> Result<Count, String> {
        let (few, many) = self.runs;
        let profile = |calls| folder.join(format!("{}.{calls}.callgrind", self.name));
        let fewer = instructions(program, &self.name, few, &profile(few))?;
        let more = instructions(program, &self.name, many, &profile(many))?;
        let per_call = per_call(fewer, more, many - few);
        Ok(Count {
            path: self.name.clone(),
            instructions: per_call
                .ok_or_else(|| format!("more calls of `{}` cost less", self.name))?,
            tolerance: self.tolerance,
            profile: profile(many),
        })
    }
}

/// Counts all of them, several at once: what is counted is not time.
pub(super) fn all(program: &File, folder: &File, paths: &[Path]) -> Result<Vec<Count>, String> {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let threads = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(4);
    let next = Mutex::new(paths.iter());
    let take = || next.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || -> Vec<_> {
        std::iter::from_fn(take)
            .map(|path| path.count(program, folder))
            .collect()
    };
    let counts: Result<Vec<Count>, String> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let ended = workers.into_iter().map(thread::ScopedJoinHandle::join);
        ended
            .flat_map(|counts| counts.expect("counting does not panic"))
            .collect()
    });
    let mut counts = counts?;
    let place = |count: &Count| paths.iter().position(|path| path.name == count.path);
    counts.sort_by_key(place);
    Ok(counts)
}

/// All instructions of one run.
fn instructions(program: &File, path: &str, calls: u64, profile: &File) -> Result<u64, String> {
    let arguments = [
        "--tool=callgrind".to_owned(),
        format!("--callgrind-out-file={}", profile.display()),
        program.display().to_string(),
        path.to_owned(),
        calls.to_string(),
    ];
    // A server for each run, as empty as that of any other; the name says that there is one in it.
    let server = path.contains("redis").then(Server::start).transpose()?;
    let mut step = Step::new("valgrind", &arguments);
    if let Some(server) = &server {
        step = step.env("REDIS_URL", &server.url());
    }
    let (succeeded, said) = step.output()?;
    if !succeeded {
        return Err(format!("`{}` failed:\n{said}", step.shown()));
    }
    let text =
        fs::read_to_string(profile).map_err(|error| format!("{}: {error}", profile.display()))?;
    totals(&text).ok_or_else(|| format!("{} has no totals", profile.display()))
}

/// The figure of a profile.
fn totals(profile: &str) -> Option<u64> {
    let line = profile
        .lines()
        .find_map(|line| line.strip_prefix("totals: "))?;
    line.trim().parse().ok()
}

/// To the nearest instruction.
fn per_call(fewer: u64, more: u64, calls: u64) -> Option<u64> {
    Some((more.checked_sub(fewer)? + calls / 2) / calls)
}

#[cfg(test)]
mod tests {
    use super::{Path, per_call, totals};

    #[test]
    fn set_up_is_no_part_of_a_call() {
        assert_eq!(per_call(1_000_000, 1_400_000, 1_000), Some(400));
        assert_eq!(per_call(1_000_000, 1_400_600, 1_000), Some(401));
        assert_eq!(per_call(2, 1, 1), None);
    }

    #[test]
    fn profile_and_list_are_read() {
        let profile = "events: Ir\nfn=(0)\n16 5\ntotals: 108236\n";
        assert_eq!(totals(profile), Some(108_236));
        assert_eq!(totals("events: Ir\n"), None);
        let path = Path {
            name: "hit".to_owned(),
            runs: (5, 50),
            tolerance: 3,
        };
        assert_eq!(Path::read_all("hit 5 50 3\n"), Ok(vec![path]));
        for wrong in ["", "hit 5 50\n", "hit 50 5 3\n", "hit 5 many 3\n"] {
            assert!(Path::read_all(wrong).is_err(), "{wrong}");
        }
    }
}
