//! What happens to the servers, one thing at a time, and how they are brought back in order.
//!
//! Where a primary is replaced, what it alone has confirmed is lost (PROTOCOLS 10), and the judge is told from when until when. Before that
//! its replicas are waited for, so that what the judge goes on expecting is there, and then cut off, so that something is lost: on one
//! machine they are told of everything at once. A slot that moves, a node that is stopped for
//! less than the others' patience, and a failover that waits for the replica lose nothing, and nothing is forgiven.

use std::time::Duration;

use tests::promise::records::now;
use tests::server::cluster::{Cluster, SLOTS, slot_of};
use tests::server::{RedisServer, Sentinels};
use tokio::time::sleep;

use crate::ROWS;
use crate::crew::Crew;
use crate::servers::{Servers, Shape};

/// For so long replicas are told nothing before their primary goes; nobody suspects them of anything yet.
const UNTOLD: Duration = Duration::from_millis(350);

/// For no less they are on their way: a new map has a process evict again what it has evicted lately, so what is lost must be read before.
const MIDDLE: Duration = Duration::from_millis(400);

/// So many rows are on their way to other primaries at once.
const MOVING: usize = 8;

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
    /// Slots that have rows in them move, in pieces.
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
    let replicas: Vec<_> = replicas.collect();
    failover_begins(crew, old, &replicas).await;
    if trouble == Trouble::FailOver {
        all.fail_over().await;
    } else {
        goes(old, &replicas, trouble).await;
        all.primary_other_than(old).await;
        sleep(lasts).await;
        up(old, trouble).await;
    }
    all.in_order().await;
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
        goes(&old.server, &[&replica.server], trouble).await;
        cluster.primary_other_than(old, slot).await;
        sleep(lasts).await;
        up(&old.server, trouble).await;
        cluster.settled().await;
        crew.judged().failover_until(now());
    }
    cluster.settled().await;
}

/// The primary goes, and with it what its replicas have not been told.
async fn goes(primary: &RedisServer, replicas: &[&RedisServer], trouble: Trouble) {
    replicas.iter().for_each(|replica| replica.stop());
    primary.cli(&["CLIENT", "KILL", "TYPE", "replica"]).await;
    sleep(UNTOLD).await;
    if trouble == Trouble::Outlive {
        primary.stop();
    } else {
        primary.kill();
    }
    replicas.iter().for_each(|replica| replica.cont());
}

async fn up(server: &RedisServer, trouble: Trouble) {
    if trouble == Trouble::Outlive {
        server.cont();
    } else {
        server.restart().await;
    }
}

/// The slots of some rows go to other primaries. Of every second one the keys go first, one by one, and it is in the middle for a while
/// without them; of the others they go at the end.
async fn migrate(cluster: &Cluster, which: usize, lasts: Duration) {
    let rows = (which..which + MOVING).map(|row| row % ROWS);
    let slots = rows.flat_map(|row| [format!("{{row:{row}}}"), format!("{{late:{row}}}")]);
    let primaries = cluster.primaries().await;
    let mut migrations = Vec::new();
    for slot in slots.map(|key| slot_of(&key)) {
        let from = cluster.primary_of(slot).await;
        let others: Vec<_> = primaries.iter().filter(|it| it.id != from.id).collect();
        let to = others[which % others.len()];
        migrations.push(cluster.begin_migration(slot, to).await);
    }
    for migration in migrations.iter().step_by(2) {
        for key in migration.left().await {
            migration.move_keys(&[key]).await;
            sleep(lasts / (8 * MOVING) as u32).await;
        }
    }
    sleep(lasts.max(MIDDLE)).await;
    for migration in migrations {
        migration.finish().await;
    }
}
