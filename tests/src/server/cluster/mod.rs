//! A Redis Cluster: primaries with their slots, and replicas, all real processes.
//!
//! Nodes suspect each other after a second and a half, so that a test of a failover takes seconds. What they then do is theirs: a
//! majority has to agree, and up to half a second of an election is random. A cluster needs two seconds to come up, whatever the machine:
//! for so long a new primary takes no commands.

mod form;
mod migration;
mod slots;
mod view;

use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;

pub use self::form::Settings;
pub use self::migration::Migration;
pub use self::slots::{SLOTS, slot_of};

use self::view::View;
use super::RedisServer;
use super::certificates::Shared;
use crate::eventually;
use crate::proxy::Proxy;
use crate::resp::Resp;

/// A node that is paused does not hold up the others for longer.
const MOMENT: Duration = Duration::from_millis(200);

/// Nodes of one cluster; all of them end with this value.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Node>,
    settings: Settings,
    tls: Option<Shared>,
}

/// One node, primary or replica. To kill, stop and restart it is the server's business; it comes back with its place in the cluster,
/// and without data.
#[derive(Debug)]
pub struct Node {
    /// The process.
    pub server: RedisServer,
    /// What the nodes call it.
    pub id: String,
    proxy: Option<Proxy>,
}

impl Node {
    /// What stands in front of it.
    ///
    /// # Panics
    /// If the cluster was started without proxies.
    pub fn proxy(&self) -> &Proxy {
        let proxy = self.proxy.as_ref();
        proxy.expect("the cluster was started with proxies")
    }

    /// Where clients connect.
    fn port(&self, cluster: &Cluster) -> u16 {
        let proxy = self.proxy.as_ref().map(|proxy| proxy.addr().port());
        proxy.unwrap_or_else(|| cluster.port_of(&self.server))
    }
}

impl Cluster {
    /// Three primaries without replicas, password or TLS.
    pub async fn start() -> Cluster {
        Settings::default().start().await
    }

    /// Three primaries with a replica each.
    pub async fn with_replicas() -> Cluster {
        let replicas = 1;
        let settings = Settings {
            replicas,
            ..Settings::default()
        };
        settings.start().await
    }

    /// Where clients connect: all nodes, with the account.
    pub fn url(&self) -> String {
        let scheme = if self.settings.tls { "rediss" } else { "redis" };
        let account = self.settings.password.map(|it| format!(":{it}@"));
        let nodes = self.nodes.iter();
        let nodes: Vec<_> = nodes
            .map(|it| format!("127.0.0.1:{}", it.port(self)))
            .collect();
        let account = account.unwrap_or_default();
        format!("{scheme}-cluster://{account}{}", nodes.join(","))
    }

    /// The certificate (PEM) of the authority that signed everybody's, with TLS.
    pub fn ca_file(&self) -> Option<&Path> {
        self.tls.as_ref().map(|tls| tls.files.authority.as_path())
    }

    /// The nodes: those that were primaries at first, then the replica of each, then the next replica of each.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The number of the shard that had a key's slot at first: its first primary is the node of this number.
    pub fn shard_of(&self, key: &str) -> usize {
        let (slot, of) = (slot_of(key), self.settings.primaries);
        let shard = (0..of).find(|&shard| slots::share(shard, of).contains(&slot));
        shard.expect("every slot was somebody's")
    }

    /// The node that has this slot, according to everybody who answers.
    ///
    /// # Panics
    /// If they do not agree in time.
    pub async fn primary_of(&self, slot: u16) -> &Node {
        eventually::some("the nodes agree", async || self.owner(slot).await).await
    }

    /// All that have slots, according to the first who answers.
    ///
    /// # Panics
    /// If nobody does in time.
    pub async fn primaries(&self) -> Vec<&Node> {
        let view = eventually::some("somebody answers", async || {
            for node in &self.nodes {
                if let Some(view) = node.view().await {
                    return Some(view);
                }
            }
            None
        })
        .await;
        let has_slots = |node: &&Node| view.of(&node.id).is_some_and(|it| !it.slots.is_empty());
        self.nodes.iter().filter(has_slots).collect()
    }

    /// Waits until another node than this one has its slot, and answers.
    ///
    /// # Panics
    /// If none has in time.
    pub async fn primary_other_than(&self, old: &Node, slot: u16) -> &Node {
        eventually::some("another node has the slot", async || {
            let new = self.owner(slot).await.filter(|it| it.id != old.id)?;
            new.says_ok().await.then_some(new)
        })
        .await
    }

    /// A replica of this node that is linked to it.
    ///
    /// # Panics
    /// If there is none in time.
    pub async fn replica_of(&self, primary: &Node) -> &Node {
        eventually::some("there is a replica", async || {
            for node in &self.nodes {
                let replicates = node.view().await?.of(&node.id)?.replicates.clone();
                if replicates.as_ref() == Some(&primary.id) && node.is_linked().await {
                    return Some(node);
                }
            }
            None
        })
        .await
    }

    /// Makes a replica the primary though nothing is wrong with the old one, which waits until the replica has everything.
    ///
    /// # Panics
    /// If it does not become one.
    pub async fn fail_over(&self, old: &Node, slot: u16) -> &Node {
        let new = self.replica_of(old).await;
        eventually::holds("the replica takes over", async || {
            let answer = new.server.cli(&["CLUSTER", "FAILOVER"]).await;
            // Somebody who has lost an election tries again.
            matches!(answer, Resp::Simple(_))
                && timeout(Duration::from_secs(6), self.primary_other_than(old, slot))
                    .await
                    .is_ok()
        })
        .await;
        new
    }

    /// Runs one command at the node that has the key.
    pub async fn cli<A: AsRef<[u8]>>(&self, key: &str, command: &[A]) -> Resp {
        let primary = self.primary_of(slot_of(key)).await;
        primary.server.cli(command).await
    }

    /// Runs one command at every node; for what a cluster does not pass on, such as accounts.
    pub async fn everywhere<A: AsRef<[u8]>>(&self, command: &[A]) -> Vec<Resp> {
        let mut answers = Vec::new();
        for node in &self.nodes {
            answers.push(node.server.cli(command).await);
        }
        answers
    }

    /// Waits until all nodes answer, see the same cluster with everybody in it, and replicas have what their primaries have.
    ///
    /// # Panics
    /// If they do not in time.
    pub async fn settled(&self) {
        eventually::holds("the cluster is well", async || self.is_settled().await).await;
    }

    async fn is_settled(&self) -> bool {
        let mut first: Option<View> = None;
        for node in &self.nodes {
            let Some(view) = node.view().await else {
                return false;
            };
            let complete = view.0.len() == self.nodes.len() && view.0.iter().all(|it| it.well);
            let replica = view.of(&node.id).is_some_and(|it| it.replicates.is_some());
            if !complete || !node.says_ok().await || (replica && !node.is_linked().await) {
                return false;
            }
            if !first.get_or_insert_with(|| view.clone()).agrees_with(&view) {
                return false;
            }
        }
        true
    }

    /// Whom everybody names who answers.
    async fn owner(&self, slot: u16) -> Option<&Node> {
        let mut named: Option<String> = None;
        for node in &self.nodes {
            let Some(view) = node.view().await else {
                continue;
            };
            let owner = view.owner(slot)?;
            if named.get_or_insert_with(|| owner.id.clone()) != &owner.id {
                return None;
            }
        }
        let named = named?;
        self.nodes.iter().find(|node| node.id == named)
    }

    fn port_of(&self, server: &RedisServer) -> u16 {
        server.tls_port().unwrap_or(server.addr().port())
    }
}

impl Node {
    /// `None` from one that does not answer.
    async fn view(&self) -> Option<View> {
        let text = self.told(&["CLUSTER", "NODES"]).await?;
        Some(View::parse(&text))
    }

    async fn says_ok(&self) -> bool {
        let info = self.told(&["CLUSTER", "INFO"]).await;
        info.is_some_and(|info| info.contains("cluster_state:ok"))
    }

    async fn is_linked(&self) -> bool {
        let info = self.told(&["INFO", "replication"]).await;
        info.is_some_and(|info| info.contains("master_link_status:up"))
    }

    async fn told(&self, question: &[&str]) -> Option<String> {
        let answer = timeout(MOMENT, self.server.try_cli(question)).await;
        Some(answer.ok()?.ok()?.text())
    }
}

#[cfg(test)]
mod tests;
