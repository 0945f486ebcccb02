//! Configurations that take optimized code: `cargo xtask oracle --level 1 --exhaustive` walks them.

use crate::{
    calls::Call::{EvictAll, EvictKey, EvictTag, Put, Read, ReadKept, ReadLate, ReadSoft, Refresh},
    configuration::all,
    explore,
};

#[test]
fn two_reads_beside_an_eviction_by_key() {
    explore(&[all(&[(0, EvictKey), (1, Read), (1, Read)]).after_reads_of(&[0])]);
}

#[test]
fn reads_of_both_processes_beside_an_eviction_of_everything() {
    explore(&[all(&[(0, EvictAll), (0, Read), (1, Read)]).after_reads_of(&[0, 1])]);
}

#[test]
fn two_reads_beside_an_eviction_by_tag() {
    explore(&[all(&[(0, EvictTag), (1, Read), (1, Read)]).after_reads_of(&[0])]);
}

#[test]
fn a_read_and_a_refresh_beside_an_eviction() {
    explore(&[all(&[(0, EvictTag), (1, Refresh), (1, Read)]).after_reads_of(&[1])]);
}

#[test]
fn two_evictions_beside_a_read() {
    explore(&[all(&[(0, EvictKey), (1, EvictTag), (1, Read)])]);
}

/// The message of one may arrive when the other is over.
#[test]
fn two_evictions_by_tag_beside_a_read() {
    explore(&[all(&[(0, EvictTag), (1, EvictTag), (1, Read)])]);
}

#[test]
fn two_reads_beside_a_put() {
    explore(&[all(&[(0, Put), (1, Read), (1, Read)])]);
}

#[test]
fn a_read_in_the_process_that_puts() {
    explore(&[all(&[(0, Put), (0, Read)])]);
}

#[test]
fn two_puts() {
    explore(&[all(&[(0, Put), (1, Put)])]);
}

#[test]
fn a_put_beside_a_read_is_dropped() {
    explore(&[all(&[(0, Put), (1, Read)]).with_a_drop()]);
}

#[test]
fn a_put_beside_an_eviction_is_dropped() {
    explore(&[all(&[(0, Put), (1, EvictKey)]).with_a_drop()]);
}

#[test]
fn an_answer_to_a_put_is_lost() {
    explore(&[
        all(&[(0, Put), (1, Read)]).with_a_fault(),
        all(&[(0, Put), (1, EvictKey)]).with_a_fault(),
    ]);
}

#[test]
fn an_eviction_of_everything_has_trouble() {
    explore(&[
        all(&[(0, EvictAll), (1, Read)]).with_a_drop(),
        all(&[(0, EvictAll), (1, Read)]).with_a_fault(),
    ]);
}

#[test]
fn a_late_tag_has_trouble() {
    explore(&[
        all(&[(0, EvictTag), (1, ReadLate)]).with_a_drop(),
        all(&[(0, EvictTag), (1, ReadLate)]).with_a_fault(),
    ]);
}

#[test]
fn a_read_beside_an_eviction_is_dropped() {
    explore(&[all(&[(0, EvictKey), (1, Read)]).with_a_drop()]);
}

#[test]
fn a_reader_without_memory_has_trouble() {
    explore(&[
        all(&[(0, EvictKey), (1, Read)])
            .one_without_memory()
            .with_a_drop(),
        all(&[(0, EvictKey), (1, Read)])
            .one_without_memory()
            .with_a_fault(),
        all(&[(0, EvictTag), (1, Read)])
            .one_without_memory()
            .with_a_fault(),
    ]);
}

#[test]
fn two_reads_have_trouble() {
    explore(&[
        all(&[(0, Read), (1, Read)]).with_a_drop(),
        all(&[(0, Read), (1, Read)]).with_a_fault(),
    ]);
}

/// One of them may begin when the eviction is over and the refresh is not.
#[test]
fn two_reads_of_what_is_refreshed_beside_an_eviction() {
    explore(&[
        all(&[(0, EvictKey), (1, ReadKept), (1, ReadKept)])
            .after_reads_of(&[1])
            .expired(),
        all(&[(0, EvictTag), (1, ReadKept), (1, ReadKept)])
            .after_reads_of(&[1])
            .expired(),
    ]);
}

#[test]
fn two_reads_that_do_not_wait_beside_an_eviction() {
    explore(&[
        all(&[(0, EvictKey), (1, ReadSoft), (1, ReadSoft)])
            .after_reads_of(&[1])
            .expired(),
        all(&[(0, EvictTag), (1, ReadKept), (1, ReadSoft)])
            .after_reads_of(&[1])
            .expired(),
        all(&[(0, EvictKey), (0, ReadKept), (0, ReadSoft)])
            .after_reads_of(&[0])
            .expired(),
    ]);
}

#[test]
fn a_background_refresh_has_trouble() {
    explore(&[
        all(&[(0, EvictKey), (1, ReadKept)])
            .after_reads_of(&[1])
            .expired()
            .with_a_fault(),
        all(&[(0, EvictTag), (1, ReadSoft)])
            .after_reads_of(&[1])
            .expired()
            .with_a_fault(),
    ]);
}
