//! Loads that wait for stores, of which a hit under a short key may have none.
//!
//! A processor hands what was just stored to a load of the same bytes; if they are of several stores, or of one and of what was there before, the load waits until the stores have left the
//! store buffer (store forwarding; Fog, *The microarchitecture of Intel, AMD and VIA CPUs*). One such load was a fifth of a hit, and more than once: the compiler makes them of a copy
//! with padding in it. No count of instructions shows them, and times only on a machine that does nothing else.
//!
//! Looked for are loads that wait in most calls. One that the compiler has put into several places, each in fewer, is not seen.

use std::collections::{HashMap, VecDeque};
use std::path::Path as File;

use super::count::Count;
use crate::run::Step;

/// Hits whose keys are short: nothing of them needs to be written and read in pieces.
const PATHS: [&str; 2] = ["hit_u64", "hit_one_tag"];

/// How many instructions back stores are looked at. Chosen: some of those before may still be on their way, and the lock of the map, which every hit takes, waits for all of them anyway.
const RECENT: u64 = 64;

const CALLS: u64 = 3_000;

/// So much of the end of the list of all instructions, loads and stores will do: a thousand calls, and little else. Bytes.
const END: &str = "24000000";

/// Runs those paths, and names the load that waits most often, if that is in most calls.
pub(super) fn none(program: &File, counts: &[Count]) -> Result<(), String> {
    for path in PATHS {
        let count = counts.iter().find(|count| count.path == path);
        let count = count.ok_or_else(|| format!("`hotpaths` has no path `{path}`"))?;
        let list = list(program, path)?;
        judge(&Seen::of(&list), count.instructions).map_err(|why| {
            format!(
                "`{path}`: {why}; `valgrind --tool=lackey --trace-mem=yes {} {path} {CALLS}` lists what it loads and stores",
                program.display()
            )
        })?;
    }
    println!("loads that wait for stores in {}: none", PATHS.join(", "));
    Ok(())
}

/// Of a path that takes so many instructions a call.
fn judge(seen: &Seen, per_call: u64) -> Result<(), String> {
    let calls = seen.instructions / per_call.max(1);
    if calls < 100 {
        return Err(format!(
            "{} instructions were listed, which are too few calls",
            seen.instructions
        ));
    }
    match seen.worst() {
        Some((at, times)) if times * 2 > calls => Err(format!(
            "it waits for its own stores: what the instruction at {at:#x} loads (the program begins at 0x108000 there) was written by several stores of the last {RECENT} \
             instructions, or by one in part, {times} times in about {calls} calls"
        )),
        _ => Ok(()),
    }
}

/// The end of what valgrind lists.
fn list(program: &File, path: &str) -> Result<String, String> {
    // The status of a pipeline is that of its end.
    let script = "{ valgrind --tool=lackey --trace-mem=yes --log-fd=9 \"$1\" \"$2\" \"$3\" 9>&1 >/dev/null; echo \"status $?\"; } | tail -c \"$4\"";
    let (program, calls) = (program.to_string_lossy(), CALLS.to_string());
    let step = Step::new("sh", &["-c", script, "sh", &program, path, &calls, END]);
    let (_, list) = step.output()?;
    if list.lines().any(|line| line == "status 0") {
        return Ok(list);
    }
    let said: Vec<_> = list.lines().filter(|line| read(line).is_none()).collect();
    Err(format!("`{}` failed:\n{}", step.shown(), said.join("\n")))
}

/// What a list has.
#[derive(Debug, Default)]
struct Seen {
    instructions: u64,
    /// Loads that wait, by the address of their instruction.
    waits: HashMap<u64, u64>,
}

struct Store {
    from: u64,
    size: u64,
    /// Instructions before it.
    when: u64,
}

impl Seen {
    /// Of lines like `I  04016b80,3`, ` L 1ffefff9e0,8`, ` S 1ffefff9e0,8` and ` M 1ffefff9e0,4`: an instruction, and then what it loads, stores or both.
    fn of(list: &str) -> Self {
        let (mut seen, mut at) = (Self::default(), 0);
        let mut recent: VecDeque<Store> = VecDeque::new();
        for line in list.lines() {
            let Some((what, from, size)) = read(line) else {
                continue;
            };
            if what == "I" {
                at = from;
                seen.instructions += 1;
                continue;
            }
            let now = seen.instructions;
            while recent.front().is_some_and(|it| it.when + RECENT < now) {
                recent.pop_front();
            }
            if what != "S" && sources(&recent, from, size) > 1 {
                *seen.waits.entry(at).or_default() += 1;
            }
            if what != "L" {
                let when = now;
                recent.push_back(Store { from, size, when });
            }
        }
        seen
    }

    fn worst(&self) -> Option<(u64, u64)> {
        let all = self.waits.iter().map(|(at, times)| (*at, *times));
        all.max_by_key(|(_, times)| *times)
    }
}

fn read(line: &str) -> Option<(&str, u64, u64)> {
    let mut words = line.split_whitespace();
    let what = words
        .next()
        .filter(|what| ["I", "L", "S", "M"].contains(what))?;
    let (from, size) = words.next()?.split_once(',')?;
    Some((
        what,
        u64::from_str_radix(from, 16).ok()?,
        size.parse().ok()?,
    ))
}

/// From how many places these bytes come: stores, the latest first, and what was there before.
fn sources(recent: &VecDeque<Store>, from: u64, size: u64) -> usize {
    let mut unknown: Vec<u64> = (from..from + size).collect();
    let mut sources = 0;
    for store in recent.iter().rev() {
        let before = unknown.len();
        unknown.retain(|byte| !(store.from..store.from + store.size).contains(byte));
        sources += usize::from(unknown.len() < before);
    }
    match sources {
        0 => 0,
        stores => stores + usize::from(!unknown.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::{RECENT, Seen, judge};

    fn waits(list: &str) -> Vec<(u64, u64)> {
        Seen::of(list).waits.into_iter().collect()
    }

    #[test]
    fn a_load_of_one_store_does_not_wait() {
        assert_eq!(waits("I  10,3\n S 100,8\nI  13,3\n L 100,8\n"), []);
        assert_eq!(waits("I  10,3\n S 100,16\nI  13,3\n L 108,4\n"), []);
        assert_eq!(
            waits("I  10,3\n S 100,8\n S 100,8\nI  13,3\n L 100,8\n"),
            [],
            "the latest counts"
        );
        assert_eq!(waits("I  10,3\n L 100,8\n"), [], "nobody has written it");
    }

    #[test]
    fn a_load_of_two_stores_or_of_a_part_of_one_waits() {
        assert_eq!(
            waits("I  10,3\n S 100,8\n S 108,8\nI  13,3\n L 100,16\n"),
            [(0x13, 1)]
        );
        assert_eq!(
            waits("I  10,3\n S 107,16\nI  13,3\n L 100,16\n"),
            [(0x13, 1)]
        );
        assert_eq!(waits("I  10,3\n S 100,1\nI  13,3\n M 100,8\n"), [(0x13, 1)]);
    }

    #[test]
    fn what_was_stored_long_ago_is_there() {
        let between = "I  20,1\n".repeat(RECENT as usize);
        let list = format!("I  10,3\n S 100,1\n{between}I  13,3\n L 100,8\n");
        assert_eq!(waits(&list), []);
        assert_eq!(Seen::of(&list).instructions, RECENT + 2);
    }

    #[test]
    fn a_wait_in_most_calls_is_one_too_many() {
        let call = |waits: bool| {
            let store = if waits { " S 100,1\n" } else { "" };
            format!(
                "I  10,3\n{store}I  13,3\n L 100,8\n{}",
                "I  20,1\n".repeat(98)
            )
        };
        let calls = |waiting: usize, all: usize| {
            let calls: String = (0..all).map(|at| call(at < waiting)).collect();
            judge(&Seen::of(&calls), 100)
        };
        assert_eq!(calls(0, 200), Ok(()));
        assert_eq!(calls(100, 200), Ok(()));
        let why = calls(101, 200).unwrap_err();
        assert!(
            why.contains("at 0x13") && why.contains("101 times in about 200 calls"),
            "{why}"
        );
        assert!(calls(0, 99).unwrap_err().contains("too few"));
    }
}
