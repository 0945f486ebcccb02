//! Who has which slots, changed: a slot on its way from one primary to another, as far as a test wants it, and slots that nobody has.
//!
//! In the middle, keys that are gone from the old primary are answered with ASK there, and commands over a key that is gone and one that
//! is not with TRYAGAIN (by servers before 7.0 only at the new primary).

use std::ops::Range;

use super::{Cluster, Node};
use crate::eventually;
use crate::resp::Resp;

/// Milliseconds; far beyond what a few keys take.
const PATIENCE: &str = "5000";

impl Cluster {
    /// Begins to move a slot to another primary.
    ///
    /// # Panics
    /// If they refuse.
    pub async fn begin_migration<'a>(&'a self, slot: u16, to: &'a Node) -> Migration<'a> {
        let from = self.primary_of(slot).await;
        Migration::begin(self, slot, from, to).await
    }

    /// Moves a slot to another primary, with all that is in it.
    ///
    /// # Panics
    /// If they refuse.
    pub async fn migrate(&self, slot: u16, to: &Node) {
        self.begin_migration(slot, to).await.finish().await;
    }

    /// Gives slots that nobody has to a node.
    ///
    /// # Panics
    /// If somebody has one of them.
    pub async fn assign(&self, node: &Node, slots: Range<u16>) {
        let given = node.server.cli(&named("ADDSLOTS", slots)).await;
        assert!(matches!(given, Resp::Simple(_)), "ADDSLOTS: {given:?}");
    }

    /// Has all nodes forget who has these slots; what is in them stays where it is.
    ///
    /// # Panics
    /// If they go on to name somebody.
    pub async fn unassign(&self, slots: Range<u16>) {
        let command = named("DELSLOTS", slots.clone());
        // Who forgets while the owner has not is told again by him.
        eventually::holds("nobody has the slots", async || {
            let mut nobody = true;
            for node in &self.nodes {
                let Some(view) = node.view().await else {
                    continue;
                };
                if slots.clone().any(|slot| view.owner(slot).is_some()) {
                    nobody = false;
                    node.server.cli(&command).await;
                }
            }
            nobody
        })
        .await;
    }
}

/// A slot that has been announced to both sides; it stays in the middle until it is finished.
#[derive(Debug)]
pub struct Migration<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) slot: u16,
    /// Who has had the slot.
    pub from: &'a Node,
    /// Who will have it.
    pub to: &'a Node,
}

impl<'a> Migration<'a> {
    /// Tells both sides.
    pub(super) async fn begin(
        cluster: &'a Cluster,
        slot: u16,
        from: &'a Node,
        to: &'a Node,
    ) -> Migration<'a> {
        let migration = Migration {
            cluster,
            slot,
            from,
            to,
        };
        migration.set_slot(to, &["IMPORTING", &from.id]).await;
        migration.set_slot(from, &["MIGRATING", &to.id]).await;
        migration
    }

    /// The keys that have not moved, up to a thousand.
    pub async fn left(&self) -> Vec<String> {
        let slot = self.slot.to_string();
        let keys = ["CLUSTER", "GETKEYSINSLOT", &slot, "1000"];
        self.from.server.cli(&keys).await.list()
    }

    /// Moves these keys, those that are there.
    ///
    /// # Panics
    /// If the old primary says that it cannot.
    pub async fn move_keys<K: AsRef<str>>(&self, keys: &[K]) {
        if keys.is_empty() {
            return;
        }
        let port = self.cluster.port_of(&self.to.server).to_string();
        let mut command = vec!["MIGRATE", "127.0.0.1", &port, "", "0", PATIENCE];
        if let Some(password) = self.cluster.settings.password {
            command.extend(["AUTH", password]);
        }
        command.push("KEYS");
        command.extend(keys.iter().map(AsRef::as_ref));
        let moved = self.from.server.cli(&command).await;
        assert!(matches!(moved, Resp::Simple(_)), "MIGRATE: {moved:?}");
    }

    /// Moves what has not moved, and tells everybody who has the slot now: the new primary first, since it cannot be lost between both then.
    ///
    /// # Panics
    /// If a primary does not take it in.
    pub async fn finish(self) {
        loop {
            let left = self.left().await;
            if left.is_empty() {
                break;
            }
            self.move_keys(&left).await;
        }
        self.set_slot(self.to, &["NODE", &self.to.id]).await;
        self.set_slot(self.from, &["NODE", &self.to.id]).await;
        eventually::holds("everybody knows who has the slot", async || {
            let owner = self.cluster.owner(self.slot).await;
            owner.is_some_and(|owner| owner.id == self.to.id)
        })
        .await;
    }

    async fn set_slot(&self, at: &Node, how: &[&str]) {
        let slot = self.slot.to_string();
        let command = [&["CLUSTER", "SETSLOT", &slot], how].concat();
        let answer = at.server.cli(&command).await;
        assert!(matches!(answer, Resp::Simple(_)), "{command:?}: {answer:?}");
    }
}

fn named(command: &str, slots: Range<u16>) -> Vec<String> {
    let words = ["CLUSTER", command].map(str::to_owned);
    words
        .into_iter()
        .chain(slots.map(|slot| slot.to_string()))
        .collect()
}
