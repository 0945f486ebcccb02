//! The two ways to count, with what they remember.

use std::time::Duration;

use super::decision::Verdict;
use super::gcra::Gcra;
use super::window::{Counted, Window};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Gcra(Gcra),
    Window(Window),
}

/// What is remembered of a client in memory.
#[derive(Clone, Copy, Debug)]
pub(super) enum State {
    Gcra(u64),
    Window(Counted),
}

impl Algorithm {
    /// Judges a request at a time in µs of any clock that goes on, and says what to remember instead, if anything.
    pub(super) fn decide(
        self,
        state: Option<State>,
        now: u64,
        cost: u64,
    ) -> (Verdict, Option<State>) {
        match self {
            Self::Gcra(gcra) => {
                let due = match state {
                    Some(State::Gcra(due)) => Some(due),
                    _ => None,
                };
                let (decision, due) = gcra.decide(due, now, cost);
                (decision.reads(Duration::from_micros), due.map(State::Gcra))
            }
            Self::Window(window) => {
                let counted = match state {
                    Some(State::Window(counted)) => Some(counted),
                    _ => None,
                };
                let (decision, counted) = window.decide(counted, now / 1000, cost);
                let state = counted.map(State::Window);
                (decision.reads(Duration::from_millis), state)
            }
        }
    }

    /// The most a request can count as: one that counts as more could never pass.
    pub(super) fn most(self) -> u64 {
        match self {
            Self::Gcra(gcra) => gcra.burst,
            Self::Window(window) => window.most,
        }
    }
}

#[cfg(test)]
mod tests;
