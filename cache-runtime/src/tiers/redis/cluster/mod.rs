//! A cluster: a link to every primary, and who serves which slot.
//!
//! **Problem.** The client library's cluster connection has one state for all nodes: while it looks for one that is gone, calls to the others wait
//! (an open issue of it, and of others). It gives replies of a re-sent command to nobody knows whom, and hides from us which server answered.
//!
//! **Decision.** Each primary has a [`Link`](super::link::Link) like a single server, with its own circuit breaker, permits and supervisor; so a bad node is
//! bad for itself. Above them is only a map from slots to links, which one task keeps ([`surveyor`]).
//!
//! * A command goes where its first key belongs. `MOVED` and `ASK` are followed once; a second redirect is an error, which is a miss for
//!   a read and the journal for an eviction.
//! * Several commands go to all nodes they concern at once, and what one of them does not answer does not keep the others back.
//! * What has keys of several slots on one server is said in several steps here: see [`labels`] and [`evict`]. Replicas are never asked for data.

mod chart;
mod evict;
mod labels;
mod node;
mod route;
mod slots;
mod state;
mod surveyor;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::time::timeout_at;

pub(super) use chart::Estate;
pub(super) use node::Node;
pub(super) use route::Follow;
pub(super) use slots::SLOTS;
#[cfg(test)]
pub(super) use slots::slot;
use state::Charted;
pub(super) use state::Map;
use surveyor::Surveyor;

use super::announcer::Announcer;
use super::bus::Chorus;
use super::endpoint::Endpoint;
use super::fault::is_forbidden;
use super::link::{Connection, Deadline, Lane, Limits, in_runtime, unavailable};
use super::names::Names;
use super::post::Post;
use crate::bus::{Listener, Sender};
use crate::observe::StripedDurations;
use crate::tiers::TierError;

type Hook = Arc<dyn Fn() + Send + Sync>;

/// The primaries of a cluster.
pub(super) struct Cluster {
    shared: Arc<Shared>,
}

/// What the cluster and its surveyor share.
struct Shared {
    endpoint: Endpoint,
    names: Names,
    instance: Sender,
    limits: Limits,
    times: Arc<StripedDurations>,
    charted: watch::Sender<Charted>,
    /// Somebody was sent elsewhere: look again.
    wanted: Notify,
    post: Post,
    /// Counts new maps and new connections.
    turns: Arc<AtomicU64>,
    reconnected: Mutex<Option<Hook>>,
    moved: Mutex<Option<Hook>>,
    chorus: OnceLock<Arc<Chorus>>,
}

impl Cluster {
    pub(super) fn new(
        endpoint: Endpoint,
        names: &Names,
        announcer: &Announcer,
        limits: Limits,
        times: Arc<StripedDurations>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                endpoint,
                names: names.clone(),
                instance: announcer.instance(),
                limits,
                times,
                charted: watch::Sender::new(Charted::Unknown),
                wanted: Notify::new(),
                post: Post::new(),
                turns: Arc::default(),
                reconnected: Mutex::default(),
                moved: Mutex::default(),
                chorus: OnceLock::new(),
            }),
        }
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.shared.endpoint
    }

    pub(super) fn wake(&self) {
        let shared = &self.shared;
        if shared.post.is_attended() {
            return;
        }
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        if let Some(number) = shared.post.fill(|| {}) {
            runtime.spawn(Surveyor::new(Arc::clone(shared), number).run());
        }
    }

    /// The present map, waiting for the very first only.
    pub(super) async fn map(&self, by: Deadline) -> Result<Arc<Map>, TierError> {
        if !in_runtime() {
            return Err(unavailable("there is no tokio runtime here"));
        }
        self.wake();
        if let Some(decided) = self.shared.charted.borrow().decided() {
            return decided;
        }
        let mut states = self.shared.charted.subscribe();
        let first = states.wait_for(|state| state.decided().is_some());
        match timeout_at(by.at(), first).await {
            Ok(Ok(state)) => state
                .decided()
                .unwrap_or_else(|| Err(unavailable("the cluster is not known"))),
            _ => Err(unavailable("the cluster is not known yet")),
        }
    }

    /// A map that is another than this one.
    async fn newer(&self, than: &Arc<Map>, by: Deadline) -> Result<Arc<Map>, TierError> {
        let mut states = self.shared.charted.subscribe();
        let newer = states.wait_for(|state| match state {
            Charted::Known(map) => !Arc::ptr_eq(map, than),
            Charted::Closed => true,
            _ => false,
        });
        match timeout_at(by.at(), newer).await {
            Ok(Ok(state)) => state
                .decided()
                .unwrap_or_else(|| Err(unavailable("the cluster is not known"))),
            _ => Err(unavailable("a slot has moved, and nobody says where")),
        }
    }

    /// Says something at every primary. It is said when most have taken it, which is enough for everybody who hears most of them.
    pub(super) async fn publish(
        &self,
        by: Deadline,
        commands: &redis::Pipeline,
    ) -> Result<(), TierError> {
        let map = self.map(by).await?;
        let say = async |mut connection: Connection| {
            for answer in connection.commands(commands).await? {
                match answer.extract_error() {
                    Err(error) if !is_forbidden(&error) => return Err(error),
                    // Who may not publish has evicted all the same.
                    _ => {}
                }
            }
            Ok(())
        };
        let voices: Vec<_> = map.voices().collect();
        let mut saying: FuturesUnordered<_> = voices
            .iter()
            .map(|node| async {
                let live = node.link.live(by).await?;
                node.link.call_on(&live, Lane::Upkeep, by, say).await
            })
            .collect();
        let (mut said, mut unsaid) = (0, Err(unavailable("the cluster has no primary")));
        // One that hangs is not waited for: what was sent to it stays sent.
        while let Some(one) = saying.next().await {
            said += usize::from(one.is_ok());
            if said * 2 > voices.len() {
                return Ok(());
            }
            if one.is_err() {
                unsaid = one;
            }
        }
        unsaid
    }

    /// Has the map looked over.
    pub(super) fn survey(&self) {
        self.shared.wanted.notify_one();
    }

    /// The present map, if there is one.
    pub(super) fn present(&self) -> Option<Arc<Map>> {
        match &*self.shared.charted.borrow() {
            Charted::Known(map) => Some(Arc::clone(map)),
            _ => None,
        }
    }

    /// Waits until every primary is connected.
    pub(super) async fn connected_within(&self, within: Duration) -> bool {
        if !in_runtime() {
            return false;
        }
        self.wake();
        let by = Deadline::after(within);
        let mut states = self.shared.charted.subscribe();
        loop {
            let known = states.wait_for(|state| matches!(state, Charted::Known(_)));
            let Ok(Ok(_)) = timeout_at(by.at(), known).await else {
                return false;
            };
            let Some(map) = self.present() else { continue };
            let mut all = true;
            for node in map.nodes() {
                all &= node.link.connected_within(by.left()).await;
            }
            // What was waited for may be over.
            if all && self.present().is_some_and(|now| Arc::ptr_eq(&now, &map)) {
                return true;
            }
            if by.left().is_zero() {
                return false;
            }
        }
    }

    /// Grows with each map and each connection.
    pub(super) fn turns(&self) -> u64 {
        self.shared.turns.load(Ordering::SeqCst)
    }

    /// The time at the server that keeps the registry, which the holds of the cache are in.
    pub(super) fn now(&self) -> u64 {
        let map = self.present();
        let node = map
            .as_ref()
            .and_then(|map| map.owner(self.shared.names.sites().as_bytes()));
        node.map_or_else(
            || super::clock::ServerClock::new().now(),
            |node| node.link.clock().now(),
        )
    }

    pub(super) fn listen(&self, listener: Arc<dyn Listener>) {
        // The port says: once, and before the first call.
        let _ = self.shared.chorus.set(Arc::new(Chorus::new(listener)));
    }

    pub(super) fn on_reconnect(&self, hook: Hook) {
        *self
            .shared
            .reconnected
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(hook);
    }

    pub(super) fn on_move(&self, hook: Hook) {
        *self
            .shared
            .moved
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(hook);
    }

    /// Ends the tasks for good.
    pub(super) fn stop(&self) {
        self.shared.post.abolish();
        if let Some(map) = self.present() {
            map.nodes().iter().for_each(|node| node.link.stop());
        }
    }

    /// Stops the tasks and sends the queued releases; how many were not sent.
    pub(super) async fn close(&self, within: Duration) -> usize {
        self.shared.post.abolish();
        let map = self.present();
        let closings = map.iter().flat_map(|map| map.nodes());
        let left = join_all(closings.map(|node| node.link.close(within))).await;
        self.shared
            .post
            .overrule(|| drop(self.shared.charted.send_replace(Charted::Closed)));
        left.into_iter().sum()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("endpoint", &self.shared.endpoint)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
