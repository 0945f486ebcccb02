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
    /// The primaries with their slots, in the order of their first.
    pub(super) primaries: Vec<(Address, Vec<RangeInclusive<u16>>)>,
    /// Other nodes that may be asked.
    pub(super) others: Vec<Address>,
}

/// What a primary says of itself: its epoch, its slots, and whether any are on their way. While it stays the same, no key has come to it
/// or left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tiers::redis) struct Estate {
    epoch: u64,
    slots: Vec<RangeInclusive<u16>>,
    pub(in crate::tiers::redis) moving: bool,
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
        let place = |id: &str| lines().find_map(|it| it.address.clone().filter(|_| *it.id == *id));
        let mut owning: Vec<_> = slots.into_iter().collect();
        owning.sort_by_key(|(_, (order, _))| *order);
        for (id, (_, ranges)) in owning {
            if let Some(address) = place(id) {
                chart.primaries.push((address, ranges));
            }
        }
        chart.add_others(lines());
        chart
    }

    /// Primaries that have no slots yet may be about to get some; replicas can be asked.
    fn add_others<'l>(&mut self, lines: impl Iterator<Item = &'l Line>) {
        for line in lines {
            let Some(address) = &line.address else {
                continue;
            };
            let known = self.primaries.iter().any(|(known, _)| known == address);
            if known || self.others.contains(address) {
                continue;
            }
            if line.is_primary && line.slots.is_empty() && !line.has_failed {
                self.primaries.push((address.clone(), Vec::new()));
            } else {
                self.others.push(address.clone());
            }
        }
    }
}

impl Line {
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
        Some(Self {
            id: id.into(),
            address: address(place, asked).filter(|_| !unreachable),
            is_self: flag("myself"),
            is_primary: flag("master"),
            has_failed: flag("fail") || flag("fail?"),
            epoch,
            slots,
            moving,
        })
    }
}

/// Certificates name hosts, so with TLS the announced name is taken where there is one. A node that does not know its own address is where we
/// asked it.
fn address(place: &str, asked: &Address) -> Option<Address> {
    let (place, name) = place.split_once(',').unwrap_or((place, ""));
    let name = name.split(',').next().unwrap_or_default();
    let place = place.split('@').next().unwrap_or_default();
    let (ip, port) = place.rsplit_once(':')?;
    let Address::Tcp { host, tls, .. } = asked else {
        return None;
    };
    let host = match (tls, name, ip) {
        (true, name, _) if !name.is_empty() => name,
        (_, _, "") => host,
        (_, _, ip) => ip,
    };
    Some(Address::Tcp {
        host: host.to_owned(),
        port: port.parse().ok().filter(|port| *port != 0)?,
        tls: *tls,
    })
}
