//! Who serves which slot, from what the nodes say.
//!
//! Each node tells what it believes (`CLUSTER NODES`), and a node that was cut off believes what is over. Nodes themselves settle it by the
//! *configuration epoch*: whoever takes slots over takes a higher one than anybody had, so of two claims to a slot the one with the higher epoch
//! is the later. The same is done here with all that was heard, so nobody has to be trusted and no majority has to be there.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::slots::SLOTS;
use crate::tiers::redis::endpoint::Address;

/// What one node says of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    id: Box<str>,
    /// None of a node whose address nobody knows.
    address: Option<Address>,
    alias: Option<Box<str>>,
    is_self: bool,
    is_primary: bool,
    has_failed: bool,
    epoch: u64,
    slots: Vec<RangeInclusive<u16>>,
    /// Slots on their way to it or from it.
    moving: bool,
}

/// What one node says of all.
pub(super) struct View(Vec<Line>);

/// Who serves what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chart {
    /// In the order of their first slots, then of their addresses.
    pub(super) primaries: Vec<Primary>,
    /// Other nodes that may be asked.
    pub(super) others: Vec<Address>,
}

/// One that serves, or is about to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Primary {
    pub(super) address: Address,
    /// What it is called as well.
    pub(super) alias: Option<Box<str>>,
    pub(super) slots: Vec<RangeInclusive<u16>>,
}

/// What a primary says of itself: its epoch, its slots, and whether any are on their way. While it stays the same, no key has come to it
/// or left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tiers::redis) struct Estate {
    epoch: u64,
    slots: Vec<RangeInclusive<u16>>,
    pub(in crate::tiers::redis) moving: bool,
}

impl Estate {
    /// How many slots there are.
    pub(in crate::tiers::redis) fn size(&self) -> usize {
        self.slots.iter().map(ExactSizeIterator::len).sum()
    }
}

impl View {
    /// Reads the reply of `CLUSTER NODES` from the node at `asked`. Lines that are none are left out.
    pub(super) fn read(reply: &str, asked: &Address) -> Self {
        Self(
            reply
                .lines()
                .filter_map(|line| Line::read(line, asked))
                .collect(),
        )
    }

    /// What the node that was asked says of itself.
    pub(super) fn estate(&self) -> Option<Estate> {
        let line = self.0.iter().find(|line| line.is_self)?;
        Some(Estate {
            epoch: line.epoch,
            slots: line.slots.clone(),
            moving: line.moving,
        })
    }
}

impl Chart {
    /// What follows from all that was heard.
    pub(super) fn of(views: &[View]) -> Self {
        let mut owners: Vec<Option<&Line>> = vec![None; SLOTS];
        let lines = || views.iter().flat_map(|view| &view.0);
        for line in lines().filter(|line| line.is_primary) {
            for slot in line.slots.iter().cloned().flatten() {
                let owner = &mut owners[usize::from(slot)];
                if owner.is_none_or(|owner| owner.epoch < line.epoch) {
                    *owner = Some(line);
                }
            }
        }
        let mut chart = Self::default();
        let mut slots = BTreeMap::<&str, (usize, Vec<RangeInclusive<u16>>)>::new();
        for (slot, owner) in (0_u16..).zip(&owners) {
            let Some(owner) = owner else { continue };
            let order = slots.len();
            let (_, ranges) = slots.entry(&owner.id).or_insert((order, Vec::new()));
            match ranges.last_mut() {
                Some(last) if last.end() + 1 == slot => *last = *last.start()..=slot,
                _ => ranges.push(slot..=slot),
            }
        }
        let named = |id: &str| lines().find(|it| *it.id == *id && it.address.is_some());
        let mut owning: Vec<_> = slots.into_iter().collect();
        owning.sort_by_key(|(_, (order, _))| *order);
        for (id, (_, slots)) in owning {
            if let Some(line) = named(id) {
                chart.primaries.extend(line.primary(slots));
            }
        }
        chart.add_others(lines);
        chart
    }

    /// Primaries that have no slots yet may be about to get some; replicas can be asked. What one view says against a node counts.
    fn add_others<'l, L: Iterator<Item = &'l Line>>(&mut self, lines: impl Fn() -> L) {
        let mut empty = BTreeMap::new();
        for line in lines() {
            let Some(address) = &line.address else {
                continue;
            };
            let known = self.primaries.iter().any(|it| it.address == *address);
            if known {
                continue;
            }
            if !self.others.contains(address) {
                self.others.push(address.clone());
            }
            let serves = |it: &Line| it.is_primary && !it.has_failed && it.slots.is_empty();
            if lines().filter(|it| it.id == line.id).all(serves) {
                empty.insert(address.to_string(), line);
            }
        }
        let empty = empty
            .into_values()
            .filter_map(|line| line.primary(Vec::new()));
        self.primaries.extend(empty);
    }

    /// Whether the same primaries serve the same slots.
    pub(super) fn serves_as(&self, other: &Self) -> bool {
        self.serving().eq(other.serving())
    }

    /// Whether one that served is no primary any more.
    pub(super) fn has_lost_one(&self, later: &Self) -> bool {
        let remains = |it: &Primary| later.primaries.iter().any(|now| now.address == it.address);
        !self.serving().all(remains)
    }

    fn serving(&self) -> impl Iterator<Item = &Primary> {
        self.primaries.iter().filter(|it| !it.slots.is_empty())
    }
}

impl Line {
    fn primary(&self, slots: Vec<RangeInclusive<u16>>) -> Option<Primary> {
        Some(Primary {
            address: self.address.clone()?,
            alias: self.alias.clone(),
            slots,
        })
    }

    /// `id ip:port@bus-port[,host] flags primary ping-sent pong-received epoch link-state slot…`
    fn read(line: &str, asked: &Address) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let (id, place, flags) = (words.next()?, words.next()?, words.next()?);
        let epoch = words.nth(3)?.parse().ok()?;
        let flag = |name| flags.split(',').any(|flag| flag == name);
        let mut slots = Vec::new();
        let mut moving = false;
        for word in words.skip(1) {
            if word.starts_with('[') {
                moving = true;
                continue;
            }
            let (first, last) = word.split_once('-').unwrap_or((word, word));
            let (first, last) = (first.parse().ok()?, last.parse().ok()?);
            if first <= last && usize::from(last) < SLOTS {
                slots.push(first..=last);
            }
        }
        let unreachable = flag("noaddr") || flag("handshake");
        let place = place_of(place, asked).filter(|_| !unreachable);
        let (address, alias) = place.unzip();
        Some(Self {
            id: id.into(),
            address,
            alias: alias.flatten(),
            is_self: flag("myself"),
            is_primary: flag("master"),
            has_failed: flag("fail") || flag("fail?"),
            epoch,
            slots,
            moving,
        })
    }
}

/// Where to connect, and the other name. Certificates name hosts, so with TLS the announced name is taken where there is one. A node that does not know
/// its own address is where we asked it.
fn place_of(place: &str, asked: &Address) -> Option<(Address, Option<Box<str>>)> {
    let (place, name) = place.split_once(',').unwrap_or((place, ""));
    let name = name.split(',').next().unwrap_or_default();
    let place = place.split('@').next().unwrap_or_default();
    let (ip, port) = place.rsplit_once(':')?;
    let Address::Tcp { host, tls, .. } = asked else {
        return None;
    };
    let ip = if ip.is_empty() { host } else { ip };
    let (host, alias) = if *tls && !name.is_empty() {
        (name, ip)
    } else {
        (ip, name)
    };
    let address = Address::Tcp {
        host: host.to_owned(),
        port: port.parse().ok().filter(|port| *port != 0)?,
        tls: *tls,
    };
    Some((address, (!alias.is_empty()).then(|| alias.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(tls: bool) -> Address {
        Address::Tcp {
            host: "seed".to_owned(),
            port: 1,
            tls,
        }
    }

    fn view(lines: &[&str]) -> View {
        View::read(&lines.join("\n"), &asked(false))
    }

    fn chart(views: &[&[&str]]) -> Chart {
        let views: Vec<_> = views.iter().map(|lines| view(lines)).collect();
        Chart::of(&views)
    }

    fn shown(chart: &Chart) -> Vec<String> {
        let shown = |it: &Primary| format!("{} {:?}", it.address, it.slots);
        chart.primaries.iter().map(shown).collect()
    }

    const A: &str = "a 10.0.0.1:1@11 myself,master - 0 0 1 connected 0-99 200";
    const B: &str = "b 10.0.0.2:1@11,b.test master - 0 0 2 connected 100-199 [150->-a]";

    #[test]
    fn lines_are_read() {
        let both = chart(&[&[A, B, "c 10.0.0.3:1@11 slave a 0 0 1 connected", "nonsense"]]);
        assert_eq!(
            shown(&both),
            ["10.0.0.1:1 [0..=99, 200..=200]", "10.0.0.2:1 [100..=199]"]
        );
        assert_eq!(both.primaries[1].alias.as_deref(), Some("b.test"));
        assert_eq!(both.others.len(), 1);
        let estate = view(&[A]).estate().unwrap();
        assert_eq!((estate.size(), estate.moving), (101, false));
        assert!(
            view(&[&B.replace("master", "myself,master")])
                .estate()
                .unwrap()
                .moving
        );
        for odd in [
            "",
            "a b c",
            "a x:1@1 master - 0 0 x connected 0",
            "a x:1@1 master - 0 0 1 connected 9-99999999",
        ] {
            assert!(
                chart(&[&[odd]])
                    .primaries
                    .iter()
                    .all(|it| it.slots.is_empty()),
                "{odd}"
            );
        }
    }

    #[test]
    fn of_two_claims_the_later_counts_whoever_makes_it() {
        let old = "a 10.0.0.1:1@11 master - 0 0 1 connected 0-99";
        let new = "b 10.0.0.2:1@11 master - 0 0 7 connected 0-99";
        let demoted = "a 10.0.0.1:1@11 slave b 0 0 7 connected";
        for views in [[&[old][..], &[new, demoted]], [&[new, demoted], &[old]]] {
            let chart = chart(&views);
            assert_eq!(shown(&chart), ["10.0.0.2:1 [0..=99]"]);
            assert_eq!(
                chart.others.len(),
                1,
                "what was a primary is none without slots"
            );
        }
    }

    #[test]
    fn who_was_asked_first_makes_no_difference() {
        let (c, d) = (
            "c 10.0.0.3:1@11 master - 0 0 0 connected",
            "d 10.0.0.4:1@11 master - 0 0 0 connected",
        );
        let one = chart(&[&[A, B, c, d]]);
        assert_eq!(one.primaries.len(), 4);
        assert_eq!(one, {
            let mut other = chart(&[&[d, c, B, A]]);
            other.others.reverse();
            other
        });
        let failing = "c 10.0.0.3:1@11 master,fail? - 0 0 0 connected";
        for views in [[&[A, c][..], &[B, failing]], [&[B, failing], &[A, c]]] {
            assert_eq!(
                chart(&views).primaries.len(),
                2,
                "one word against it is enough"
            );
        }
    }

    #[test]
    fn a_primary_that_is_replaced_is_told_from_slots_that_move() {
        let before = chart(&[&[A, B]]);
        let moved = chart(&[&[A, "b 10.0.0.2:1@11,b.test master - 0 0 3 connected 99-199"]]);
        assert!(!before.serves_as(&moved) && !before.has_lost_one(&moved));
        let replaced = chart(&[&[A, "c 10.0.0.3:1@11 master - 0 0 3 connected 100-199"]]);
        assert!(!before.serves_as(&replaced) && before.has_lost_one(&replaced));
        let grown = chart(&[&[A, B, "c 10.0.0.3:1@11 master - 0 0 0 connected"]]);
        assert!(before.serves_as(&grown) && before != grown);
    }

    #[test]
    fn with_tls_a_node_is_reached_by_its_name_and_without_an_address_where_it_was_asked() {
        let place =
            |place, tls| place_of(place, &asked(tls)).map(|(at, alias)| (at.to_string(), alias));
        let is = |at: &str, alias: Option<&str>| Some((at.to_owned(), alias.map(Box::from)));
        assert_eq!(
            place("10.0.0.1:7@17,n.test", true),
            is("n.test:7", Some("10.0.0.1"))
        );
        assert_eq!(
            place("10.0.0.1:7@17,n.test,shard-id=x", false),
            is("10.0.0.1:7", Some("n.test"))
        );
        assert_eq!(place(":7@17", false), is("seed:7", None));
        assert_eq!(place("::1:7@17", false), is("[::1]:7", None));
        assert_eq!(place(":0@0", false), None);
    }
}
