//! Every pair of options, with an origin that is fine, fails, is slow or panics, while keys are evicted, expired, or left alone: what holds for all of
//! them.
//!
//! Each pair is an annotated function of its own. A [`script`] calls it for two minutes of simulated time, in memory alone and in two processes on a
//! model of Redis, and notes what happened; the [`judge`] reads the notes.

mod judge;
mod options;
mod record;
mod script;

use options::pairs;
use record::Way;
use script::{Event, play};

fn all(way: Way) {
    for pair in pairs() {
        for event in [
            Event::Nothing,
            Event::EvictKey,
            Event::EvictTag,
            Event::Expire,
        ] {
            for processes in [1, 2] {
                play(&pair, way, event, processes);
            }
        }
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
