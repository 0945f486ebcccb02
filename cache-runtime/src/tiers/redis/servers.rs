//! One server or a cluster: where commands go, and how it all stands together.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;

use super::bus::Bus;
use super::cluster::{Cluster, Estate, Follow, Map, Node, SLOTS};
use super::endpoint::Endpoint;
use super::fault::judge;
use super::link::{self, Connection, Deadline, Lane, Link, Live, Spelled};
use super::scripts::{Pipeline, Steps};
use crate::entry::Token;
use crate::tiers::{ErrorKind, LinkState, TierError};

type Hook = Arc<dyn Fn() + Send + Sync>;

/// What a tier's keys are on.
#[derive(Debug)]
pub(super) enum Servers {
    One(Arc<Link>),
    Cluster(Cluster),
}

/// One primary, on the connection it has now.
pub(super) struct Primary {
    link: Arc<Link>,
    live: Arc<Live>,
}

/// Every primary there is, and what a cluster's said of themselves when they were found.
pub(super) struct Ground<'s> {
    pub(super) primaries: Vec<Primary>,
    /// Of one server nothing.
    cluster: Option<Survey<'s>>,
}

/// What the primaries of a map said of themselves.
struct Survey<'s> {
    cluster: &'s Cluster,
    map: Arc<Map>,
    estates: Vec<Option<Estate>>,
}

impl Servers {
    /// Runs work where a key belongs, all within the deadline. In a cluster it runs a second time where it is sent, if it is.
    pub(super) async fn call<T, W, F>(
        &self,
        key: &str,
        lane: Lane,
        within: Duration,
        work: W,
    ) -> Result<T, TierError>
    where
        T: Send,
        W: Fn(Connection) -> F + Send + Sync,
        F: Future<Output = redis::RedisResult<T>> + Send,
    {
        match self {
            Self::One(link) => link.call(lane, within, work).await,
            // Larger than the other, which should not pay for it.
            Self::Cluster(cluster) => {
                Box::pin(cluster.call(key, lane, Deadline::after(within), work)).await
            }
        }
    }

    /// A plain `GET`, and what `read` makes of its answer. `slot` is what decides where the key belongs.
    pub(super) async fn get<T: Send>(
        &self,
        slot: &str,
        key: &(impl Spelled + Sync),
        within: Duration,
        read: fn(redis::RedisResult<Option<Bytes>>) -> redis::RedisResult<T>,
    ) -> Result<T, TierError> {
        match self {
            Self::One(link) => link.get(key, within, read).await,
            Self::Cluster(_) => {
                let work = async |connection: Connection| read(connection.get(key).await);
                Box::pin(self.call(slot, Lane::Traffic, within, work)).await
            }
        }
    }

    /// Sends several commands, each where its first key belongs; the answers are in their order. One server gets them in one
    /// round trip and in this order, a cluster all at once.
    pub(super) async fn send(
        &self,
        lane: Lane,
        within: Duration,
        steps: Steps<'_>,
    ) -> Result<Vec<redis::RedisResult<redis::Value>>, TierError> {
        match self {
            Self::One(link) => {
                let work =
                    async |mut connection: Connection| Pipeline::run(&mut connection, steps).await;
                link.call(lane, within, work).await
            }
            Self::Cluster(cluster) => {
                let by = Deadline::after(within);
                let answers = cluster.scatter(lane, by, Follow::All, steps).await?;
                answers.into_iter().collect()
            }
        }
    }

    /// An error among the answers.
    pub(super) fn refusal(&self, error: &redis::RedisError) -> TierError {
        TierError::new(judge(error).0, self.endpoint().words(error))
    }

    /// Every primary, connected.
    pub(super) async fn primaries(&self, within: Duration) -> Result<Ground<'_>, TierError> {
        let by = Deadline::after(within);
        let (links, cluster) = match self {
            Self::One(link) => (vec![Arc::clone(link)], None),
            Self::Cluster(cluster) => {
                let map = cluster.map(by).await?;
                let link = |node: &Arc<Node>| Arc::clone(&node.link);
                let links = map.nodes().iter().map(link).collect();
                let estates = cluster.estates(&map).await;
                let survey = Survey {
                    cluster,
                    map,
                    estates,
                };
                (links, Some(survey))
            }
        };
        let live = join_all(links.iter().map(|link| link.live(by))).await;
        let primary = |(link, live): (Arc<Link>, Result<_, _>)| Ok(Primary { link, live: live? });
        let primaries: Result<_, TierError> = links.into_iter().zip(live).map(primary).collect();
        let primaries = primaries?;
        Ok(Ground { primaries, cluster })
    }

    /// Gives a lease back when there is time.
    pub(super) fn release_later(&self, lease: String, token: Token, message: Vec<u8>) {
        match self {
            Self::One(link) => link.release_later(lease, token, message),
            Self::Cluster(cluster) => {
                let map = cluster.present();
                // Without a map nobody has taken one.
                if let Some(node) = map.as_ref().and_then(|map| map.owner(lease.as_bytes())) {
                    node.link.release_later(lease, token, message);
                }
            }
        }
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        match self {
            Self::One(link) => link.endpoint(),
            Self::Cluster(cluster) => cluster.endpoint(),
        }
    }

    /// Grows, or is another, when a server may be another.
    pub(super) fn serial(&self) -> u64 {
        match self {
            Self::One(link) => link.serial(),
            Self::Cluster(cluster) => cluster.turns(),
        }
    }

    pub(super) fn now(&self) -> u64 {
        match self {
            Self::One(link) => link.clock().now(),
            Self::Cluster(cluster) => cluster.now(),
        }
    }

    pub(super) fn state(&self) -> LinkState {
        match self {
            Self::One(link) => link.state(),
            Self::Cluster(cluster) => cluster.state(),
        }
    }

    pub(super) async fn connected_within(&self, within: Duration) -> bool {
        match self {
            Self::One(link) => link.connected_within(within).await,
            Self::Cluster(cluster) => cluster.connected_within(within).await,
        }
    }

    pub(super) fn wake(&self) {
        match self {
            Self::One(link) => link.wake(),
            Self::Cluster(cluster) => cluster.wake(),
        }
    }

    pub(super) fn stop(&self) {
        match self {
            Self::One(link) => link.stop(),
            Self::Cluster(cluster) => cluster.stop(),
        }
    }

    pub(super) async fn close(&self, within: Duration) -> usize {
        match self {
            Self::One(link) => link.close(within).await,
            Self::Cluster(cluster) => cluster.close(within).await,
        }
    }

    pub(super) fn on_reconnect(&self, hook: Hook) {
        match self {
            Self::One(link) => link.on_reconnect(hook),
            Self::Cluster(cluster) => cluster.on_reconnect(hook),
        }
    }

    /// Whether a server can become another.
    pub(super) fn on_move(&self, hook: Hook) -> bool {
        match self {
            Self::One(link) => link.on_move(hook),
            Self::Cluster(cluster) => {
                cluster.on_move(hook);
                true
            }
        }
    }
}

impl Primary {
    /// Runs work here, within the deadline.
    pub(super) async fn call<T, W, F>(
        &self,
        lane: Lane,
        within: Duration,
        work: W,
    ) -> Result<T, TierError>
    where
        T: Send,
        W: FnOnce(Connection) -> F + Send,
        F: Future<Output = redis::RedisResult<T>> + Send,
    {
        let by = Deadline::after(within);
        self.link.call_on(&self.live, lane, by, work).await
    }
}

impl Ground<'_> {
    /// The primaries have all slots among them, and none is on its way.
    pub(super) fn is_whole(&self) -> Result<(), TierError> {
        let Some(Survey { estates, .. }) = &self.cluster else {
            return Ok(());
        };
        let served = estates.iter().flatten().map(Estate::size).sum::<usize>();
        let rests = |estate: &Option<Estate>| estate.as_ref().is_some_and(|it| !it.moving);
        if served == SLOTS && estates.iter().all(rests) {
            return Ok(());
        }
        Err(moved())
    }

    /// Nothing has moved since they were found.
    pub(super) async fn is_as_before(&self) -> Result<(), TierError> {
        let Some(survey) = &self.cluster else {
            return Ok(());
        };
        if survey.cluster.estates(&survey.map).await == survey.estates {
            return Ok(());
        }
        Err(moved())
    }
}

fn moved() -> TierError {
    let text = "slots moved while the cluster was looked through, or not all are served by those that are known";
    TierError::new(ErrorKind::Refused, text)
}

/// Runs the bus of one server beside its link.
pub(super) fn run_bus(link: &Link, bus: Bus) {
    let bus = Arc::new(bus);
    let start = move || -> link::Running { Box::pin(Arc::clone(&bus).run()) };
    link.run_beside(Arc::new(start));
}
