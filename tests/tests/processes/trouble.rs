//! What happens to the servers, one thing at a time, and how they are brought back in order.
//!
//! Where a primary is replaced, what it alone has confirmed is lost (PROTOCOLS 10), and the judge is told from when until when. Before that
//! its replica is waited for, so that what the judge goes on expecting is there. A slot that moves, a node that is stopped for
//! less than the others' patience, and a failover that waits for the replica lose nothing, and nothing is forgiven.

use std::time::Duration;

use tests::eventually;
use tests::promise::records::now;
use tests::server::cluster::{Cluster, SLOTS};
use tests::server::{RedisServer, Sentinels};
use tokio::time::sleep;

use crate::crew::Crew;
use crate::servers::{Servers, Shape};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// A server is stopped and goes on.
    Stop,
    /// The server is killed and starts empty.
    Lose,
    /// Every subscriber is dropped.
    Deafen,
    /// All scripts are forgotten.
    ForgetScripts,
    /// A primary is killed, another takes its place, and it comes back as a replica.
    Replace,
    /// The same with one that is stopped, and goes on as if it were still the primary.
    Outlive,
    /// Another takes the place of a primary with which nothing is wrong.
    FailOver,
    /// A slot that has rows in it moves, in pieces.
    Migrate,
}

impl Trouble {
    /// Longer than a storm.
    pub(crate) fn takes_long(self) -> bool {
        matches!(self, Self::Replace | Self::Outlive | Self::FailOver)
    }
}

/// What can happen to the servers of a shape.
pub(crate) fn of(shape: Shape) -> &'static [Trouble] {
    use Trouble::{Deafen, FailOver, ForgetScripts, Lose, Migrate, Outlive, Replace, Stop};
    match shape {
        Shape::Standalone => &[Stop, Lose, Deafen, ForgetScripts],
        Shape::Proxy => &[],
        Shape::Sentinel => &[Replace, Outlive, FailOver, Deafen, ForgetScripts],
        Shape::Cluster => &[
            Migrate,
            Migrate,
            Migrate,
            Stop,
            Replace,
            Outlive,
            FailOver,
            Deafen,
            ForgetScripts,
        ],
    }
}

pub(crate) async fn inflict(crew: &Crew, trouble: Trouble, which: usize, lasts: Duration) {
    match (&crew.servers, trouble) {
        (_, Trouble::Deafen) => {
            everywhere(crew, &["CLIENT", "KILL", "TYPE", "pubsub"]).await;
        }
        (_, Trouble::ForgetScripts) => everywhere(crew, &["SCRIPT", "FLUSH"]).await,
        (servers, Trouble::Stop) => {
            let all = servers.all();
            let server = all[which % all.len()];
            server.stop();
            sleep(lasts).await;
            server.cont();
        }
        (Servers::One { server, .. }, _) => {
            server.kill();
            sleep(lasts).await;
            server.restart().await;
        }
        (Servers::Sentinels(all), _) => under_sentinels(crew, all, trouble, lasts).await,
        (Servers::Cluster(cluster), Trouble::Migrate) => migrate(cluster, which, lasts).await,
        (Servers::Cluster(cluster), _) => in_a_cluster(crew, cluster, trouble, lasts).await,
    }
}

async fn everywhere(crew: &Crew, command: &[&str]) {
    for server in crew.servers.all() {
        server.cli(command).await;
    }
}

/// The replicas have all that is promised from now on.
async fn failover_begins(crew: &Crew, primary: &RedisServer, replicas: &[&RedisServer]) {
    crew.judged().failover_from(now());
    for replica in replicas {
        replica.has_all_of(primary).await;
    }
}

async fn under_sentinels(crew: &Crew, all: &Sentinels, trouble: Trouble, lasts: Duration) {
    let old = all.primary().await;
    let replicas = all.servers().iter().filter(|it| it.addr() != old.addr());
    failover_begins(crew, old, &replicas.collect::<Vec<_>>()).await;
    if trouble == Trouble::FailOver {
        all.fail_over().await;
    } else {
        down(old, trouble);
        all.primary_other_than(old).await;
        sleep(lasts).await;
        up(old, trouble).await;
    }
    eventually::holds("the old primary is a replica", async || {
        let role = old.cli(&["INFO", "replication"]).await.text();
        role.contains("master_link_status:up")
    })
    .await;
    crew.judged().failover_until(now());
}

async fn in_a_cluster(crew: &Crew, cluster: &Cluster, trouble: Trouble, lasts: Duration) {
    let slot = fastrand::u16(..SLOTS);
    let old = cluster.primary_of(slot).await;
    if trouble == Trouble::FailOver {
        cluster.fail_over(old, slot).await;
    } else {
        let replica = cluster.replica_of(old).await;
        failover_begins(crew, &old.server, &[&replica.server]).await;
        down(&old.server, trouble);
        cluster.primary_other_than(old, slot).await;
        sleep(lasts).await;
        up(&old.server, trouble).await;
        cluster.settled().await;
        crew.judged().failover_until(now());
    }
    cluster.settled().await;
}

fn down(server: &RedisServer, trouble: Trouble) {
    if trouble == Trouble::Outlive {
        server.stop();
    } else {
        server.kill();
    }
}

async fn up(server: &RedisServer, trouble: Trouble) {
    if trouble == Trouble::Outlive {
        server.cont();
    } else {
        server.restart().await;
    }
}

/// The slot of one of the rows, where most keys are, goes to the next primary, one key after the other.
async fn migrate(cluster: &Cluster, which: usize, lasts: Duration) {
    let row = which % crate::ROWS;
    let slot = tests::server::cluster::slot_of(&format!("{{row:{row}}}"));
    let from = cluster.primary_of(slot).await;
    let others = cluster.primaries().await;
    let others: Vec<_> = others.into_iter().filter(|it| it.id != from.id).collect();
    let migration = cluster
        .begin_migration(slot, others[which % others.len()])
        .await;
    let keys = migration.left().await;
    for key in &keys {
        sleep(lasts / keys.len() as u32).await;
        migration.move_keys(&[key]).await;
    }
    sleep(lasts / 2).await;
    migration.finish().await;
}
