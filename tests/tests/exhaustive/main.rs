//! The central promise under *all* interleavings of a few calls: a read that starts after an eviction completed never returns a value
//! loaded before it.
//!
//! Two processes run the real engine on a model of Redis, on one thread and a paused clock. Everything that is under way waits at a
//! [`gate`]: each command until the server carries it out, each answer and each message until it arrives, each load until it looks at
//! the database and until what it saw comes back, each call until it begins. When nothing can run any more, one of these events
//! happens, and which is a choice of the [`tree`], which is walked to its end. In some configurations one caller may give up its command
//! (which is carried out later all the same), or one subscription break in place of a message, or one call be dropped: at any
//! moment while it waits, and instead of any poll that would let it go on.
//!
//! **The bound.** Two processes, one entry, two or three calls at once, at most one fault or drop; all orders of the events of these
//! calls. Orders that differ only in neighbours that touch nothing in common are walked once ([`event`]). After the calls everything
//! under way arrives in the order in which it was sent, and each process reads once more. What is not explored: threads (between two events everything
//! that can run runs, in tokio's order), time (it passes only when nothing is under way, so nobody waits too long and no lease runs out), messages
//! of a process to itself (they only wake, and arrive at once), and chance (jitter, tokens). The random schedules of
//! `interleavings` have time, more processes, and more faults at once.
//!
//! Each event takes a millisecond, so a soft timeout of three is over after as many events. What was past its ttl before may be served until the eviction is over;
//! what was begun then goes on in the background, among the events of the others.
//!
//! A read is judged when it begins, by what is over then: in the process that wrote, when the write has ended; in the other, when its message
//! has arrived, and where no memory stands between and the write was by key, when the server has carried it out.
//!
//! `cargo test --test exhaustive -- --nocapture` tells the numbers. A violation tells its schedule.

mod calls;
mod configuration;
mod event;
mod explore;
mod gate;
#[cfg(not(debug_assertions))]
mod large;
mod schedule;
mod tree;
mod world;

use calls::Call::{
    EvictAll, EvictKey, EvictRegion, EvictTag, Put, Read, ReadKept, ReadLate, ReadSoft, Refresh,
};
use configuration::{Configuration, all};
use tree::Tree;

const PROCESSES: usize = 2;

/// Walks all schedules of these configurations.
fn explore(configurations: &[Configuration]) {
    for configuration in configurations {
        let explored = configuration.explore(Tree::default());
        println!("explored {explored}: {configuration}");
        if configuration.writes() {
            assert!(explored.bound > 0, "no read began after a write");
        }
        if configuration.writes() && configuration.reads() {
            let (old, new) = (explored.versions.first(), explored.versions.last());
            assert!(old < new, "what was read does not depend on the order");
        }
    }
}

#[test]
fn a_read_beside_an_eviction() {
    explore(&[
        all(&[(0, EvictKey), (1, Read)]),
        all(&[(0, EvictKey), (1, Read)]).one_without_memory(),
        all(&[(0, EvictKey), (1, Read)]).after_reads_of(&[0]),
        all(&[(0, EvictKey), (1, Read)]).after_reads_of(&[0, 1]),
        all(&[(0, EvictKey), (0, Read)]),
        all(&[(0, EvictTag), (1, Read)]),
        all(&[(0, EvictTag), (1, Read)]).one_without_memory(),
        all(&[(0, EvictTag), (1, Read)]).after_reads_of(&[0]),
        all(&[(0, EvictTag), (1, Read)]).after_reads_of(&[0, 1]),
        all(&[(0, EvictTag), (0, Read)]),
        all(&[(0, EvictRegion), (1, Read)]),
        all(&[(0, EvictRegion), (1, Read)]).after_reads_of(&[0, 1]),
        all(&[(0, EvictAll), (1, Read)]),
        all(&[(0, EvictAll), (1, Read)]).after_reads_of(&[0, 1]),
    ]);
}

#[test]
fn two_reads_beside_an_eviction() {
    explore(&[
        all(&[(0, EvictKey), (1, Read), (1, Read)]).after_reads_of(&[0, 1]),
        all(&[(0, EvictTag), (1, Read), (1, Read)]).after_reads_of(&[1]),
    ]);
}

#[test]
fn a_late_tag_beside_an_eviction() {
    explore(&[
        all(&[(0, EvictTag), (1, ReadLate)]),
        all(&[(0, EvictTag), (1, ReadLate)]).after_reads_of(&[0]),
        all(&[(0, EvictTag), (1, ReadLate)]).one_without_memory(),
        all(&[(0, EvictTag), (0, ReadLate)]),
        all(&[(0, EvictAll), (1, ReadLate)]),
    ]);
}

#[test]
fn a_refresh_beside_an_eviction() {
    explore(&[
        all(&[(0, EvictKey), (1, Refresh)]).after_reads_of(&[1]),
        all(&[(0, EvictKey), (1, Refresh)])
            .after_reads_of(&[1])
            .with_a_drop(),
        all(&[(0, EvictKey), (1, Refresh)])
            .after_reads_of(&[1])
            .with_a_fault(),
    ]);
}

/// A refresh in the background, of what is past its ttl.
#[test]
fn a_background_refresh_beside_an_eviction() {
    explore(&[
        all(&[(0, EvictKey), (1, ReadKept)])
            .after_reads_of(&[1])
            .expired(),
        all(&[(0, EvictTag), (1, ReadKept)])
            .after_reads_of(&[1])
            .expired(),
        all(&[(0, EvictTag), (1, ReadKept)])
            .after_reads_of(&[0])
            .expired()
            .one_without_memory(),
        all(&[(0, EvictKey), (0, ReadKept)])
            .after_reads_of(&[0, 1])
            .expired(),
    ]);
}

/// A load that goes on when its caller has been served what is past its ttl.
#[test]
fn a_load_that_nobody_waits_for_beside_an_eviction() {
    explore(&[
        all(&[(0, EvictKey), (1, ReadSoft)])
            .after_reads_of(&[1])
            .expired(),
        all(&[(0, EvictTag), (1, ReadSoft)])
            .after_reads_of(&[1])
            .expired(),
        all(&[(0, EvictTag), (0, ReadSoft)])
            .after_reads_of(&[0])
            .expired(),
    ]);
}

#[test]
fn a_put_beside_a_read_and_beside_other_writes() {
    explore(&[
        all(&[(0, Put), (1, Read)]),
        all(&[(0, Put), (1, Read)]).after_reads_of(&[0, 1]),
        all(&[(0, Put), (1, EvictKey)]),
        all(&[(0, Put), (1, EvictTag)]),
    ]);
}

#[test]
fn a_call_is_dropped() {
    explore(&[
        all(&[(0, EvictTag), (1, Read)])
            .after_reads_of(&[0])
            .with_a_drop(),
        all(&[(0, EvictTag), (0, Read)])
            .after_reads_of(&[0])
            .with_a_drop(),
    ]);
}

#[test]
fn an_answer_or_a_message_is_lost() {
    explore(&[
        all(&[(0, EvictKey), (1, Read)]).with_a_fault(),
        all(&[(0, EvictTag), (1, Read)])
            .after_reads_of(&[0])
            .with_a_fault(),
        all(&[(0, EvictTag), (0, Read)])
            .after_reads_of(&[0])
            .with_a_fault(),
    ]);
}

#[test]
fn what_is_walked_once_has_the_outcomes_of_all_orders() {
    let configuration = all(&[(0, EvictTag), (1, Read)]).after_reads_of(&[0]);
    let (once, every) = (
        configuration.explore(Tree::default()),
        configuration.explore(Tree::unreduced()),
    );
    println!("the same in every order: {every}");
    assert!(every.schedules > 5 * once.schedules);
    assert_eq!(once.outcomes, every.outcomes);
}
