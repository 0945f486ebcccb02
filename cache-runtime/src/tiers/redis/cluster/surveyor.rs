//! The task that keeps the map of a cluster.
//!
//! It asks primaries who serves what every second, and as soon as a caller was sent elsewhere (at most ten times a second). A caller that meets an old map is
//! redirected. One that finds its entry in memory is not, and hears of an eviction where the slot was before; so memory may be as old as the map. What follows from a new map comes in this
//! order: nobody gets the old map any more, what was evicted lately is put into the journal again (if a primary was replaced: slots that move lose nothing), memory is not believed any
//! more, the map is everybody's, and then the bus begins another epoch.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::Shared;
use super::chart::{Chart, Primary, View};
use super::node::Node;
use super::state::{Charted, Map};
use crate::tiers::redis::bus::Bus;
use crate::tiers::redis::endpoint::{Address, Topology};
use crate::tiers::redis::link::{Backoff, Connection, Deadline, Lane, Link};
use crate::tiers::redis::servers::run_bus;
use crate::tiers::{LinkState, Moment};

const WITHIN: Duration = Duration::from_secs(1);
const GAP: Duration = Duration::from_millis(100);
const EVERY: Duration = Duration::from_secs(1);
/// So many are asked at a time: news is everywhere within a second.
const ASKED: usize = 5;

/// One start of the task.
pub(super) struct Surveyor {
    shared: Arc<Shared>,
    number: u64,
}

impl Surveyor {
    pub(super) fn new(shared: Arc<Shared>, number: u64) -> Self {
        Self { shared, number }
    }

    pub(super) async fn run(self) {
        tokio::select! {
            biased;
            () = self.shared.post.relieved(self.number) => {}
            () = self.keep() => {}
        }
    }

    async fn keep(&self) {
        let mut backoff = Backoff::new();
        let mut turn = 0;
        loop {
            self.shared.post.sign();
            turn += 1;
            let asked = Instant::now();
            let views = self.look(turn).await;
            let chart = views.map(|views| Chart::of(&views));
            let names_some = |chart: &Chart| !chart.primaries.is_empty();
            let chart = chart.and_then(|chart| match names_some(&chart) {
                true => Ok(chart),
                false => Err("no node that answers knows of a primary with slots".to_owned()),
            });
            match chart {
                Ok(chart) => {
                    self.take(chart);
                    backoff = Backoff::new();
                    self.rest(asked).await;
                }
                Err(why) => {
                    self.fail(&why);
                    self.shared.post.sign();
                    sleep(backoff.delay()).await;
                }
            }
        }
    }

    /// Until there is a reason to look again.
    async fn rest(&self, asked: Instant) {
        sleep_until(asked + GAP).await;
        // Nobody who was sent elsewhere: it is time.
        let _ = timeout(EVERY, self.shared.wanted.notified()).await;
    }

    fn present(&self) -> Option<Arc<Map>> {
        match &*self.shared.charted.borrow() {
            Charted::Known(map) => Some(Arc::clone(map)),
            _ => None,
        }
    }

    /// What primaries say that we are connected to; if none does, what anybody says.
    async fn look(&self, turn: usize) -> Result<Vec<View>, String> {
        let present = self.present();
        let nodes = present.as_ref().map_or(&[][..], |map| map.nodes());
        let turned = nodes.iter().cycle().skip(turn).take(nodes.len());
        let is_up = |node: &&Arc<Node>| matches!(node.link.state(), LinkState::Connected { .. });
        let asked = turned.filter(is_up).take(ASKED);
        let answers = join_all(asked.map(|node| ask(node))).await;
        let views: Vec<_> = answers.into_iter().flatten().collect();
        if !views.is_empty() {
            return Ok(views);
        }
        let mut addresses = Vec::new();
        if let Topology::Cluster(seeds) = &self.shared.endpoint.topology {
            addresses.extend(seeds.iter().cloned());
        }
        if let Some(map) = &present {
            let known = map.chart.primaries.iter().map(|it| &it.address);
            addresses.extend(known.chain(&map.chart.others).cloned());
        }
        let answers = join_all(addresses.iter().map(|address| self.ask_anew(address))).await;
        let (views, silent): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        if views.is_empty() {
            let silent: Vec<_> = silent.into_iter().filter_map(Result::err).collect();
            return Err(format!(
                "no node of the cluster can be asked: {}",
                silent.join("; ")
            ));
        }
        Ok(views.into_iter().flatten().collect())
    }

    /// On a connection for this one question.
    async fn ask_anew(&self, address: &Address) -> Result<View, String> {
        let endpoint = &self.shared.endpoint;
        let question = async {
            let (wire, _driver) = endpoint.connect(address).await?;
            if let Some(sign_in) = endpoint.account.sign_in() {
                wire.command(&sign_in).await?;
            }
            let answer = wire.command(&nodes()).await?;
            redis::from_redis_value::<String>(answer).map_err(Into::into)
        };
        match timeout(WITHIN, question).await {
            Ok(Ok(reply)) => Ok(View::read(&reply, address)),
            Ok(Err(error)) => {
                let error: redis::RedisError = error;
                Err(format!("{address}: {}", endpoint.words(&error)))
            }
            Err(_) => Err(format!("{address}: no answer within {WITHIN:?}")),
        }
    }

    fn fail(&self, why: &str) {
        let shared = &self.shared;
        let _ = shared.post.act(self.number, || {
            let since = match &*shared.charted.borrow() {
                // What is known is better than nothing: its links tell how they do.
                Charted::Known(_) | Charted::Closed => return,
                Charted::Failed { since, .. } => *since,
                Charted::Unknown => {
                    tracing::warn!(cache = shared.names.cache(), endpoint = %shared.endpoint, why, "no connection to Redis; retrying");
                    Moment::now()
                }
            };
            shared.charted.send_replace(Charted::Failed {
                since,
                why: why.into(),
            });
        });
    }

    /// Makes a chart everybody's map, if it is another one.
    fn take(&self, chart: Chart) {
        let shared = &self.shared;
        let present = self.present();
        if present
            .as_ref()
            .is_some_and(|it| it.chart.primaries == chart.primaries)
        {
            return;
        }
        let kept = |primary: &Primary| {
            let mut nodes = present.iter().flat_map(|map| map.nodes());
            nodes.find(|node| node.fits(primary)).cloned()
        };
        let nodes = chart.primaries.iter().map(|primary| {
            kept(primary).unwrap_or_else(|| {
                let node = Node::new(primary, shared);
                self.employ(&node);
                Arc::new(node)
            })
        });
        let map = Arc::new(Map::new(chart.clone(), nodes.collect()));
        // Of primaries without slots nobody has heard anything, or will.
        let moved = present.filter(|it| !it.chart.serves_as(&chart));
        let replaced = moved
            .as_ref()
            .is_some_and(|it| it.chart.has_lost_one(&chart));
        let chorus = shared.chorus.get();
        // Whoever asks for the map waits from here on: what goes to an old primary after this would not be done again at the new one.
        let hide = || drop(shared.charted.send_replace(Charted::Unknown));
        if !shared.post.act(self.number, hide) {
            return;
        }
        // Not under the lock of the post: whoever hears of this may have been the last to need the tier.
        if let Some(hook) = shared.hook(&shared.moved).filter(|_| replaced) {
            hook();
        }
        shared.turns.fetch_add(1, Ordering::SeqCst);
        if let Some(chorus) = chorus.filter(|_| moved.is_some()) {
            chorus.hush("slots of the cluster have moved");
        }
        let known = Charted::Known(Arc::clone(&map));
        let show = || drop(shared.charted.send_replace(known));
        if !shared.post.act(self.number, show) {
            return;
        }
        if let Some(chorus) = chorus {
            let heard = map.voices().map(|node| node.link.id()).collect();
            chorus.cast(heard, map.owner_of_keys());
        }
        tracing::info!(cache = shared.names.cache(), endpoint = %shared.endpoint, primaries = map.nodes().len(), "the cluster's slots are known");
        // Nobody has called yet who would start them.
        map.nodes().iter().for_each(|node| node.link.wake());
    }

    /// Sets what a new link tells, and what runs beside it.
    fn employ(&self, node: &Node) {
        let shared = &self.shared;
        let (turns, hook) = (Arc::clone(&shared.turns), shared.hook(&shared.reconnected));
        node.link.on_reconnect(Arc::new(move || {
            turns.fetch_add(1, Ordering::SeqCst);
            if let Some(hook) = &hook {
                hook();
            }
        }));
        let (Some(chorus), Some(tag)) = (shared.chorus.get(), node.tag) else {
            return;
        };
        let voice = chorus.voice(node.link.id(), &node.address);
        let bus = Bus::new(&shared.names, shared.instance, &node.link, tag, voice)
            .with_recent(chorus.recent());
        run_bus(&node.link, bus);
    }
}

impl Drop for Surveyor {
    fn drop(&mut self) {
        self.shared.post.vacate(self.number, || {});
    }
}

fn nodes() -> redis::Cmd {
    let mut command = redis::cmd("CLUSTER");
    command.arg("NODES");
    command
}

/// What a primary says of all nodes. One that does not answer is its link's business.
async fn ask(node: &Node) -> Option<View> {
    let reply = reply(&node.link).await.ok()?;
    Some(View::read(&reply, &node.address))
}

async fn reply(link: &Link) -> Result<String, crate::tiers::TierError> {
    let live = link.live(Deadline::after(WITHIN)).await?;
    let work = async |mut connection: Connection| {
        let answer = connection.command(&nodes()).await?;
        redis::from_redis_value::<String>(answer).map_err(Into::into)
    };
    link.call_on(&live, Lane::Upkeep, Deadline::after(WITHIN), work)
        .await
}

impl super::Cluster {
    /// What each primary says of itself; none of one that does not answer.
    pub(in crate::tiers::redis) async fn estates(&self, map: &Map) -> Vec<Option<super::Estate>> {
        let views = join_all(map.nodes().iter().map(|node| ask(node))).await;
        views.into_iter().map(|view| view?.estate()).collect()
    }
}

impl Shared {
    fn hook(&self, of: &std::sync::Mutex<Option<super::Hook>>) -> Option<super::Hook> {
        of.lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }
}
