//! What the processes share: one server, one with replicas under Sentinels, or a cluster; and who stands between.

use std::time::Duration;

use tests::proxy::Proxy;
use tests::server::cluster::{self, Cluster};
use tests::server::{RedisServer, Sentinels, Settings};

use crate::crew::PROCESSES;

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One server, and a proxy for each process: processes, networks and the server go wrong.
    Standalone,
    /// The same, and only networks go wrong, more often.
    Proxy,
    /// A primary that is replaced: processes and servers go wrong.
    Sentinel,
    /// A cluster with a proxy for each node: processes, networks and nodes go wrong, and slots move.
    Cluster,
}

impl Shape {
    /// How long it is tried if nobody says, in seconds.
    pub(crate) fn seconds(self) -> u64 {
        match self {
            Self::Standalone => 30,
            Self::Proxy => 11,
            Self::Sentinel => 18,
            Self::Cluster => 20,
        }
    }

    /// How long everybody writes, and faults begin.
    pub(crate) fn storm(self) -> Duration {
        Duration::from_secs(2)
    }

    /// How long everybody reads what a storm has left behind: longer than anybody may be without news; and where primaries are replaced, than that takes.
    pub(crate) fn quiet(self) -> Duration {
        Duration::from_millis(match self {
            Self::Standalone | Self::Proxy => 3_500,
            Self::Sentinel => 7_000,
            Self::Cluster => 8_000,
        })
    }
}

pub(crate) enum Servers {
    One {
        server: RedisServer,
        /// One for each place.
        proxies: Vec<Proxy>,
    },
    Sentinels(Sentinels),
    /// With a proxy for each node.
    Cluster(Cluster),
}

impl Servers {
    pub(crate) async fn start(shape: Shape) -> Self {
        match shape {
            Shape::Standalone | Shape::Proxy => {
                let (server, mut proxies) = (RedisServer::start().await, Vec::new());
                for _ in 0..PROCESSES {
                    proxies.push(Proxy::start(server.addr()).await);
                }
                Self::One { server, proxies }
            }
            Shape::Sentinel => {
                // A second replica: who is left can be replaced while another comes back.
                let replicas = 2;
                let settings = Settings {
                    replicas,
                    ..Settings::default()
                };
                Self::Sentinels(settings.start().await)
            }
            Shape::Cluster => {
                let settings = cluster::Settings {
                    replicas: 1,
                    proxies: true,
                    ..cluster::Settings::default()
                };
                Self::Cluster(settings.start().await)
            }
        }
    }

    /// Where the process of a place connects.
    pub(crate) fn url(&self, place: usize) -> String {
        match self {
            Self::One { server, proxies } => server.url_via(&proxies[place]),
            Self::Sentinels(all) => all.url(),
            Self::Cluster(cluster) => cluster.url(),
        }
    }

    pub(crate) fn all(&self) -> Vec<&RedisServer> {
        match self {
            Self::One { server, .. } => vec![server],
            Self::Sentinels(all) => all.servers().iter().collect(),
            Self::Cluster(cluster) => cluster.nodes().iter().map(|it| &it.server).collect(),
        }
    }

    /// The networks there are.
    pub(crate) fn proxies(&self) -> Vec<&Proxy> {
        match self {
            Self::One { proxies, .. } => proxies.iter().collect(),
            Self::Sentinels(_) => Vec::new(),
            Self::Cluster(cluster) => cluster.nodes().iter().map(|it| it.proxy()).collect(),
        }
    }
}
