//! Making a cluster out of servers, by the commands an operator's tool would send.

use std::time::Duration;

use tokio::task::JoinSet;

use super::slots::share;
use super::{Cluster, Node};
use crate::eventually;
use crate::proxy::Proxy;
use crate::resp::Resp;
use crate::server::RedisServer;
use crate::server::certificates::Shared;

/// What a test may ask for.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many have slots.
    pub primaries: usize,
    /// Replicas of each primary.
    pub replicas: usize,
    /// After so long without an answer a node is suspected, and replicas begin to think of an election.
    pub node_timeout: Duration,
    /// Whether nobody answers while a slot has no primary. The servers' own default is yes; it would turn the trouble of one shard into that
    /// of all.
    pub full_coverage: bool,
    /// A proxy in front of each node. Who asks the nodes for each other is told the proxies' addresses.
    pub proxies: bool,
    /// What clients must authenticate with; letters and digits.
    pub password: Option<&'static str>,
    /// Everybody speaks TLS with everybody, under one authority.
    pub tls: bool,
    /// More arguments for the command line of each node.
    pub arguments: &'static [&'static str],
}

impl Default for Settings {
    /// Three primaries that are suspected after a second and a half: less, and nodes of a busy machine suspect each other.
    fn default() -> Settings {
        Settings {
            primaries: 3,
            replicas: 0,
            node_timeout: Duration::from_millis(1_500),
            full_coverage: false,
            proxies: false,
            password: None,
            tls: false,
            arguments: &[],
        }
    }
}

impl Settings {
    /// Starts the servers, makes them a cluster, and waits until all of them say that it is one.
    ///
    /// # Panics
    /// If something does not come up.
    pub async fn start(self) -> Cluster {
        let tls = self.tls.then(Shared::make);
        let servers = self.servers(tls.as_ref()).await;
        let mut nodes = Vec::new();
        for server in servers {
            nodes.push(self.node(server).await);
        }
        let cluster = Cluster {
            nodes,
            settings: self,
            tls,
        };
        cluster.share_slots().await;
        cluster.meet().await;
        cluster.replicate().await;
        cluster.settled().await;
        cluster
    }

    async fn servers(&self, tls: Option<&Shared>) -> Vec<RedisServer> {
        let mut starting = JoinSet::new();
        for _ in 0..self.primaries * (1 + self.replicas) {
            let timeout = self.node_timeout.as_millis().to_string();
            let coverage = if self.full_coverage { "yes" } else { "no" };
            let mut builder = RedisServer::builder().cluster().args(&[
                "--cluster-node-timeout",
                &timeout,
                "--cluster-require-full-coverage",
                coverage,
                // Who replicates whom is the test's business.
                "--cluster-allow-replica-migration",
                "no",
                "--repl-diskless-sync-delay",
                "0",
            ]);
            builder = builder.args(self.arguments);
            if let Some(password) = self.password {
                builder = builder.password(password).args(&["--masterauth", password]);
            }
            if let Some(tls) = tls {
                let everywhere = ["--tls-cluster", "yes", "--tls-replication", "yes"];
                builder = builder.tls_of(tls.files.clone()).args(&everywhere);
            }
            starting.spawn(builder.start());
        }
        starting.join_all().await
    }

    async fn node(&self, mut server: RedisServer) -> Node {
        let mut proxy = None;
        if self.proxies {
            let mut behind = server.addr();
            behind.set_port(server.tls_port().unwrap_or(behind.port()));
            let before = Proxy::start(behind).await;
            let kind = if self.tls { "tls-port" } else { "port" };
            let setting = format!("cluster-announce-{kind}");
            let port = before.addr().port().to_string();
            done(&server, &["CONFIG", "SET", &setting, &port]).await;
            // For when it comes back.
            let arguments = [format!("--{setting}"), port];
            server.launch.arguments.extend(arguments);
            proxy = Some(before);
        }
        let id = server.cli(&["CLUSTER", "MYID"]).await.text();
        Node { server, id, proxy }
    }
}

impl Cluster {
    /// The first nodes are the primaries. Each node has an epoch of its own, which else they would have to fight out.
    async fn share_slots(&self) {
        for (number, node) in self.nodes.iter().enumerate() {
            let epoch = (number + 1).to_string();
            done(&node.server, &["CLUSTER", "SET-CONFIG-EPOCH", &epoch]).await;
        }
        for (number, node) in self.nodes[..self.settings.primaries].iter().enumerate() {
            self.assign(node, share(number, self.settings.primaries))
                .await;
        }
    }

    /// Everybody meets everybody: by hearsay it would take longer.
    async fn meet(&self) {
        for (number, one) in self.nodes.iter().enumerate() {
            for other in &self.nodes[number + 1..] {
                let port = other.port(self).to_string();
                let bus = other.server.bus_port().to_string();
                let meet = ["CLUSTER", "MEET", "127.0.0.1", &port, &bus];
                done(&one.server, &meet).await;
            }
        }
    }

    async fn replicate(&self) {
        let (primaries, replicas) = self.nodes.split_at(self.settings.primaries);
        for (number, replica) in replicas.iter().enumerate() {
            let primary = &primaries[number % primaries.len()];
            eventually::holds("the replica knows its primary", async || {
                let replicate = ["CLUSTER", "REPLICATE", &primary.id];
                matches!(replica.server.cli(&replicate).await, Resp::Simple(_))
            })
            .await;
        }
    }
}

/// A command that must be done.
async fn done(server: &RedisServer, command: &[&str]) {
    let answer = server.cli(command).await;
    assert!(matches!(answer, Resp::Simple(_)), "{command:?}: {answer:?}");
}
