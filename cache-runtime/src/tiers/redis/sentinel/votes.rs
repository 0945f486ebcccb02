//! What the Sentinels say, counted.

use super::super::endpoint::Address;
use super::seat::Answer;

/// The answers to one question.
pub(super) struct Votes {
    /// How many are asked.
    of: usize,
    named: Vec<(Address, usize)>,
    /// Who answered without knowing the name.
    unknown: usize,
    /// Who did not answer, and why.
    silent: Vec<String>,
}

impl Votes {
    pub(super) fn of(of: usize) -> Self {
        Self {
            of,
            named: Vec::new(),
            unknown: 0,
            silent: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, sentinel: &Address, answer: Answer) {
        match answer {
            Answer::Primary(address) => {
                match self.named.iter_mut().find(|(named, _)| *named == address) {
                    Some((_, count)) => *count += 1,
                    None => self.named.push((address, 1)),
                }
            }
            Answer::Unknown => self.unknown += 1,
            Answer::None(why) => self.silent.push(format!("{sentinel}: {why}")),
        }
    }

    /// Whom more than half of all name.
    pub(super) fn agreed(&self) -> Option<&Address> {
        let agreed = self.named.iter().find(|(_, count)| count * 2 > self.of);
        agreed.map(|(address, _)| address)
    }

    /// Whom most of those name who name anybody; of several the one whose turn it is.
    pub(super) fn most(&self, turn: usize) -> Option<&Address> {
        let most = self.named.iter().map(|(_, count)| *count).max()?;
        let equal: Vec<_> = self.named.iter().filter(|it| it.1 == most).collect();
        Some(&equal[turn % equal.len()].0)
    }

    /// Whom at least half of all name, and more than name the present one.
    pub(super) fn against(&self, present: &Address) -> Option<&Address> {
        let count = |it: &&(Address, usize)| it.0 == *present;
        let present = self.named.iter().find(count).map_or(0, |it| it.1);
        let enough = |it: &&(Address, usize)| it.1 * 2 >= self.of && it.1 > present;
        self.named.iter().find(enough).map(|it| &it.0)
    }

    pub(super) fn why_nobody_knows(&self, primary: &str) -> String {
        let (silent, primary) = (self.silent.join("; "), primary.escape_debug());
        match (self.unknown, self.silent.len()) {
            (0, _) => format!("no Sentinel can be asked: {silent}"),
            (_, 0) => format!("no Sentinel knows a primary called `{primary}`"),
            _ => format!(
                "no Sentinel that answers knows a primary called `{primary}` (others: {silent})"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> Address {
        Address::Tcp {
            host: "10.0.0.1".to_owned(),
            port,
            tls: false,
        }
    }

    /// A port is a vote for it, `0` a Sentinel that does not know the name, what is missing has not answered.
    fn votes(of: usize, said: &[u16]) -> Votes {
        let mut votes = Votes::of(of);
        for port in said {
            let answer = match port {
                0 => Answer::Unknown,
                port => Answer::Primary(at(*port)),
            };
            votes.add(&at(1), answer);
        }
        votes
    }

    fn port(address: Option<&Address>) -> u16 {
        match address {
            Some(Address::Tcp { port, .. }) => *port,
            _ => 0,
        }
    }

    #[test]
    fn more_than_half_of_all_agree() {
        for (of, said, agreed) in [
            (1, &[7][..], 7),
            (2, &[7], 0),
            (2, &[7, 7], 7),
            (3, &[7, 8], 0),
            (3, &[7, 8, 8], 8),
            (4, &[7, 7, 8], 0),
        ] {
            assert_eq!(port(votes(of, said).agreed()), agreed, "{of} {said:?}");
        }
    }

    #[test]
    fn most_of_those_who_answer_are_followed_and_equals_take_turns() {
        assert_eq!(port(votes(5, &[7, 8, 8]).most(0)), 8);
        assert_eq!(port(votes(3, &[0, 0, 7]).most(0)), 7);
        assert_eq!(port(votes(3, &[0, 0]).most(0)), 0);
        let torn = votes(3, &[7, 8]);
        let turns: Vec<_> = (0..4).map(|turn| port(torn.most(turn))).collect();
        assert_eq!(turns, [7, 8, 7, 8]);
    }

    #[test]
    fn a_primary_is_left_for_one_that_half_of_all_name() {
        for (of, said, other) in [
            (1, &[8][..], 8),
            (2, &[8], 8),
            (2, &[7, 8], 0),
            (3, &[8], 0),
            (3, &[7, 8], 0),
            (3, &[8, 8], 8),
            (3, &[7, 8, 8], 8),
            (3, &[8, 9], 0),
            (3, &[], 0),
            (3, &[0, 0, 0], 0),
            (4, &[7, 7, 8, 8], 0),
        ] {
            let votes = votes(of, said);
            assert_eq!(port(votes.against(&at(7))), other, "{of} {said:?}");
        }
    }

    #[test]
    fn why_nobody_knows_is_said() {
        let mut all = votes(3, &[0]);
        assert_eq!(
            all.why_nobody_knows("shop"),
            "no Sentinel knows a primary called `shop`"
        );
        all.add(&at(5), Answer::None("refused".to_owned()));
        let why = all.why_nobody_knows("shop");
        assert!(
            why.contains("`shop`") && why.contains("10.0.0.1:5: refused"),
            "{why}"
        );
        let mut none = votes(1, &[]);
        none.add(&at(5), Answer::None("refused".to_owned()));
        assert_eq!(
            none.why_nobody_knows("shop"),
            "no Sentinel can be asked: 10.0.0.1:5: refused"
        );
    }
}
