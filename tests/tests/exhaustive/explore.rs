//! All schedules of a configuration, one after the other.

use std::{
    collections::{BTreeSet, HashSet},
    fmt,
};

use crate::{
    configuration::Configuration,
    gate::Gate,
    schedule::{Outcome, run},
    tree::Tree,
};

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Explored {
    pub(crate) schedules: u64,
    /// Begun, and cut short: all that could follow had been walked in another order.
    pub(crate) cut_short: u64,
    /// Of the longest.
    pub(crate) events: usize,
    /// Reads that began after a write was over.
    pub(crate) bound: u64,
    /// What the calls and the last reads have returned, and from where.
    pub(crate) outcomes: HashSet<Outcome>,
    /// The versions that the reads among the calls have returned.
    pub(crate) versions: BTreeSet<u64>,
}

impl Configuration {
    /// Walks all schedules.
    ///
    /// # Panics
    /// If one of them breaks the promise; with its story.
    pub(crate) fn explore(&self, mut tree: Tree) -> Explored {
        let mut explored = Explored::default();
        loop {
            let gate = Gate::new(tree);
            let run = run(self, &gate);
            assert!(
                run.violations.is_empty(),
                "{:#?} in schedule {} of {self}:\n{}",
                run.violations,
                explored.schedules + explored.cut_short + 1,
                run.story()
            );
            explored.events = explored.events.max(run.events.len());
            match run.outcome {
                Some(outcome) => {
                    explored.schedules += 1;
                    explored.bound += run.bound;
                    explored.versions.extend(run.versions);
                    explored.outcomes.insert(outcome);
                }
                None => explored.cut_short += 1,
            }
            tree = gate.take_tree();
            if !tree.advance() {
                return explored;
            }
        }
    }
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} schedules of at most {} events ({} cut short, {} reads after a write, {} outcomes)",
            self.schedules,
            self.events,
            self.cut_short,
            self.bound,
            self.outcomes.len()
        )
    }
}
