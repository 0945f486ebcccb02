//! The tree of all choices, walked depth first: a schedule repeats the choices of the one before it up to the last that has an
//! alternative, takes that, and from there on the first of each.
//!
//! Of the orders that differ only in neighbours that do not conflict, one is walked to its end: an event whose subtree has been walked sleeps in
//! those of its siblings, until something happens that conflicts with it (sleep sets, P. Godefroid, *Partial-Order Methods for the Verification of
//! Concurrent Systems*, 1996). This leaves out no state, and no order of two events that conflict.

use crate::event::Event;

/// All choices up to the end of the present schedule.
#[derive(Debug)]
pub(crate) struct Tree {
    choices: Vec<Choice>,
    /// How many of them the present schedule has made.
    made: usize,
    reduced: bool,
}

#[derive(Debug)]
enum Choice {
    /// Which event is next.
    Event {
        possible: Vec<Event>,
        /// Those whose schedules have been walked, by identity.
        asleep: Vec<u64>,
        chosen: usize,
    },
    /// Whether something happens.
    Whether(bool),
}

impl Default for Tree {
    fn default() -> Self {
        Self {
            choices: Vec::new(),
            made: 0,
            reduced: true,
        }
    }
}

impl Tree {
    /// All orders, those that nobody can tell apart as well.
    pub(crate) fn unreduced() -> Self {
        Self {
            reduced: false,
            ..Self::default()
        }
    }

    /// The next event, by its place in `possible`; `None` if every schedule from here on has been walked in another order.
    pub(crate) fn next(&mut self, possible: &[Event]) -> Option<usize> {
        if let Some(choice) = self.choices.get(self.made) {
            let Choice::Event {
                possible: before,
                chosen,
                ..
            } = choice
            else {
                panic!("a schedule that was repeated came to another choice");
            };
            assert_eq!(
                before, possible,
                "a schedule that was repeated took another way"
            );
            self.made += 1;
            return Some(*chosen);
        }
        let asleep = self.asleep(possible);
        let chosen = awake(possible, &asleep, 0)?;
        self.choices.push(Choice::Event {
            possible: possible.to_vec(),
            asleep,
            chosen,
        });
        self.made += 1;
        Some(chosen)
    }

    /// Both: first that something does not happen, then that it does.
    pub(crate) fn whether(&mut self) -> bool {
        let happens = match self.choices.get(self.made) {
            Some(Choice::Whether(happens)) => *happens,
            Some(Choice::Event { .. }) => {
                panic!("a schedule that was repeated came to another choice")
            }
            None => {
                self.choices.push(Choice::Whether(false));
                false
            }
        };
        self.made += 1;
        happens
    }

    /// Goes on to the next schedule; `false` when all have been walked.
    pub(crate) fn advance(&mut self) -> bool {
        self.made = 0;
        while let Some(last) = self.choices.last_mut() {
            match last {
                Choice::Whether(happens @ false) => {
                    *happens = true;
                    return true;
                }
                Choice::Whether(true) => {}
                Choice::Event {
                    possible,
                    asleep,
                    chosen,
                } => {
                    if self.reduced {
                        asleep.push(possible[*chosen].id);
                    }
                    if let Some(next) = awake(possible, asleep, *chosen + 1) {
                        *chosen = next;
                        return true;
                    }
                }
            }
            self.choices.pop();
        }
        false
    }

    /// What still sleeps after the last event.
    fn asleep(&self, possible: &[Event]) -> Vec<u64> {
        let last = self.choices.iter().rev().find_map(|choice| match choice {
            Choice::Event {
                possible,
                asleep,
                chosen,
            } => Some((&possible[*chosen], asleep)),
            Choice::Whether(_) => None,
        });
        let Some((last, asleep)) = last else {
            return Vec::new();
        };
        possible
            .iter()
            .filter(|event| asleep.contains(&event.id) && !event.conflicts(last))
            .map(|event| event.id)
            .collect()
    }
}

/// The first from `from` on that does not sleep.
fn awake(possible: &[Event], asleep: &[u64], from: usize) -> Option<usize> {
    let awake = |event: &Event| !asleep.contains(&event.id);
    (from..possible.len()).find(|place| awake(&possible[*place]))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use cache_runtime::testing::Step;

    use super::Tree;
    use crate::event::{Event, Kind};

    /// Walks all orders of chains of events, one chain per process; the ends that were reached, and how many walks were cut off.
    fn walk(mut tree: Tree, chains: &[&[Kind]]) -> (Vec<Vec<(usize, Kind)>>, usize) {
        let (mut ends, mut cut_off) = (Vec::new(), 0);
        loop {
            let mut at = vec![0; chains.len()];
            let mut order = Vec::new();
            let ended = loop {
                let possible: Vec<_> = chains
                    .iter()
                    .enumerate()
                    .filter_map(|(process, chain)| {
                        let kind = *chain.get(at[process])?;
                        let id = (process * 100 + at[process]) as u64;
                        Some(Event { id, process, kind })
                    })
                    .collect();
                if possible.is_empty() {
                    break true;
                }
                let Some(chosen) = tree.next(&possible) else {
                    break false;
                };
                let Event { process, kind, .. } = possible[chosen];
                at[process] += 1;
                order.push((process, kind));
            };
            if ended {
                ends.push(order);
            } else {
                cut_off += 1;
            }
            if !tree.advance() {
                return (ends, cut_off);
            }
        }
    }

    const ANSWER: Kind = Kind::Over(Step::Answer("store"));
    const STORE: Kind = Kind::Over(Step::Command("store"));

    #[test]
    fn every_order_of_what_conflicts_is_walked_once() {
        let (ends, _) = walk(Tree::default(), &[&[STORE; 3], &[STORE; 2]]);
        let different: BTreeSet<_> = ends.iter().map(|order| format!("{order:?}")).collect();
        assert_eq!((ends.len(), different.len()), (10, 10), "5 over 2");
    }

    #[test]
    fn of_orders_that_nobody_can_tell_apart_one_is_walked() {
        assert_eq!(
            walk(Tree::default(), &[&[ANSWER; 3], &[ANSWER; 2]]).0.len(),
            1
        );
        assert_eq!(
            walk(Tree::unreduced(), &[&[ANSWER; 3], &[ANSWER; 2]])
                .0
                .len(),
            10
        );
        // Two commands and two answers: what counts is the order of the commands.
        let chain = &[ANSWER, STORE, ANSWER];
        assert_eq!(walk(Tree::default(), &[chain, chain]).0.len(), 2);
        assert_eq!(walk(Tree::unreduced(), &[chain, chain]).0.len(), 20);
    }

    #[test]
    fn what_may_happen_does_and_does_not() {
        let mut tree = Tree::default();
        let mut seen = BTreeSet::new();
        loop {
            let first = tree.whether();
            seen.insert((first, first || tree.whether()));
            if !tree.advance() {
                break;
            }
        }
        assert_eq!(seen, [(false, false), (false, true), (true, true)].into());
    }
}
