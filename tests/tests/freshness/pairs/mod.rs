//! Every pair of options, with an origin that is fine, fails, is slow or panics, while keys are evicted, expired, or left alone: what holds for all of
//! them.
//!
//! Each pair is an annotated function of its own. A [`script`] calls it for two minutes of simulated time, in memory alone and in two processes on a
//! model of Redis, and notes what happened; the [`judge`] reads the notes.

mod judge;
mod options;
mod record;
mod script;

use std::collections::HashSet;

use cache_runtime::{Served, Why};
use options::{Pair, pairs};
use record::Way;
use script::{Event, play};

fn all(way: Way) {
    for pair in pairs() {
        let mut seen = HashSet::new();
        for event in [
            Event::Nothing,
            Event::EvictKey,
            Event::EvictTag,
            Event::Expire,
        ] {
            for processes in [1, 2] {
                seen.extend(play(&pair, way, event, processes));
            }
        }
        assert_seen(&pair, way, &seen);
    }
}

/// The script came to what the pair is about.
fn assert_seen(pair: &Pair, way: Way, seen: &HashSet<Served>) {
    let about = format!("{:?}, {way:?}: {seen:?}", pair.options);
    let stale = |why| seen.contains(&Served::Stale(why));
    if pair.has("stale_while_revalidate") {
        assert!(stale(Why::Revalidating), "{about}");
    }
    let hides = pair.has("stale_if_error") && !pair.has("stale_while_revalidate");
    if hides && way == Way::Fails {
        assert!(stale(Why::Failed) && stale(Why::Throttled), "{about}");
    }
    if hides && way == Way::Slow {
        assert_eq!(stale(Why::SoftTimeout), pair.has("soft_timeout"), "{about}");
        assert_eq!(stale(Why::HardTimeout), pair.has("hard_timeout"), "{about}");
    }
}

#[test]
fn every_pair_with_an_origin_that_is_fine() {
    all(Way::Fine);
}

#[test]
fn every_pair_with_an_origin_that_fails() {
    all(Way::Fails);
}

#[test]
fn every_pair_with_an_origin_that_is_slow() {
    all(Way::Slow);
}

#[test]
fn every_pair_with_an_origin_that_panics() {
    all(Way::Panics);
}
