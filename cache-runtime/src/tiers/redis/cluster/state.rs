//! What callers see of a cluster: its map, and how its primaries do.

use std::sync::Arc;

use super::chart::Chart;
use super::node::Node;
use super::slots::{SLOTS, slot};
use super::{Cluster, unavailable};
use crate::tiers::redis::bus::Owner;
use crate::tiers::redis::endpoint::Address;
use crate::tiers::redis::names::hash_tag;
use crate::tiers::{LinkState, Moment, TierError};

/// What is known of the cluster.
#[derive(Clone, Debug)]
pub(super) enum Charted {
    /// Nobody has answered yet.
    Unknown,
    /// Nobody can be asked, and nobody could.
    Failed {
        since: Moment,
        why: Arc<str>,
    },
    Known(Arc<Map>),
    Closed,
}

/// Which link a slot is served by.
pub(in crate::tiers::redis) struct Map {
    nodes: Vec<Arc<Node>>,
    /// The position of each slot's node.
    owners: Arc<[u16; SLOTS]>,
    /// What it was made from.
    pub(super) chart: Chart,
}

const NOBODY: u16 = u16::MAX;

impl Charted {
    /// What a call gets now; `None` where it is worth waiting.
    pub(super) fn decided(&self) -> Option<Result<Arc<Map>, TierError>> {
        match self {
            Self::Unknown => None,
            Self::Failed { why, .. } => Some(Err(unavailable(&**why))),
            Self::Known(map) => Some(Ok(Arc::clone(map))),
            Self::Closed => Some(Err(unavailable("the cache is closed"))),
        }
    }
}

impl Map {
    /// `nodes` are those of the chart's primaries, in their order.
    pub(super) fn new(chart: Chart, nodes: Vec<Arc<Node>>) -> Self {
        let mut owners = [NOBODY; SLOTS];
        for (number, primary) in (0_u16..).zip(&chart.primaries) {
            for slot in primary.slots.iter().cloned().flatten() {
                owners[usize::from(slot)] = number;
            }
        }
        Self {
            nodes,
            owners: Arc::new(owners),
            chart,
        }
    }

    pub(in crate::tiers::redis) fn nodes(&self) -> &[Arc<Node>] {
        &self.nodes
    }

    /// Who serves a key.
    pub(in crate::tiers::redis) fn owner(&self, key: &[u8]) -> Option<&Arc<Node>> {
        self.nodes.get(self.number(key))
    }

    /// Those at which there is a bus.
    pub(super) fn voices(&self) -> impl Iterator<Item = &Arc<Node>> {
        self.nodes.iter().filter(|node| node.tag.is_some())
    }

    /// Says whose link an encoded logical key belongs to, without holding on to anything.
    pub(super) fn owner_of_keys(&self) -> Owner {
        let owners = Arc::clone(&self.owners);
        let ids: Vec<u64> = self.nodes.iter().map(|node| node.link.id()).collect();
        Arc::new(move |key| {
            let owner = owners[usize::from(slot(hash_tag(key).as_bytes()))];
            ids.get(usize::from(owner)).copied()
        })
    }

    /// The position of who serves a key among the nodes; beyond them all where nobody does.
    pub(super) fn number(&self, key: &[u8]) -> usize {
        usize::from(self.owners[usize::from(slot(key))])
    }

    /// Whom a server means.
    pub(super) fn at(&self, named: &str, by: &Address) -> Option<&Arc<Node>> {
        self.nodes.iter().find(|node| node.is_called(named, by))
    }

    /// Slots that nobody serves.
    fn unserved(&self) -> usize {
        self.owners.iter().filter(|owner| **owner == NOBODY).count()
    }
}

impl std::fmt::Debug for Map {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.nodes).finish()
    }
}

impl Cluster {
    /// All of them in one. Some that are down are what does not work while the rest does.
    pub(in crate::tiers::redis) fn state(&self) -> LinkState {
        let map = match &*self.shared.charted.borrow() {
            Charted::Unknown => return LinkState::Connecting,
            Charted::Failed { since, why } => {
                return LinkState::Down {
                    since: *since,
                    why: Arc::clone(why),
                };
            }
            Charted::Closed => return LinkState::Closed,
            Charted::Known(map) => Arc::clone(map),
        };
        let mut together = Together::default();
        for node in map.nodes() {
            together.add(&node.address, node.link.state());
        }
        together.state(map.unserved())
    }
}

/// The states of several links.
#[derive(Default)]
struct Together {
    /// When the last of those that are up came up.
    up: Option<Moment>,
    down: Option<Moment>,
    missing: Vec<Box<str>>,
}

impl Together {
    fn add(&mut self, address: &Address, state: LinkState) {
        let later = |one: Option<Moment>, other: Moment| match one {
            Some(one) if one.at > other.at => Some(one),
            _ => Some(other),
        };
        match state {
            LinkState::Connected { since, missing } => {
                self.up = later(self.up, since);
                for it in missing.iter() {
                    if !self.missing.contains(it) {
                        self.missing.push(it.clone());
                    }
                }
            }
            LinkState::Down { since, why } => {
                self.down = later(self.down, since);
                self.missing
                    .push(format!("the primary {address}: {why}").into());
            }
            LinkState::Absent | LinkState::Connecting | LinkState::Closed => {}
        }
    }

    fn state(mut self, unserved: usize) -> LinkState {
        if unserved > 0 {
            let text = format!("{unserved} of {SLOTS} slots: no primary serves them");
            self.missing.push(text.into());
        }
        match (self.up, self.down) {
            (Some(since), _) => LinkState::Connected {
                since,
                missing: self.missing.into(),
            },
            (None, Some(since)) => LinkState::Down {
                since,
                why: self.missing.join("; ").into(),
            },
            (None, None) => LinkState::Connecting,
        }
    }
}
