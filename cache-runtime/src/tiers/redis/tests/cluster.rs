//! The tier on a cluster of three primaries: what every tier has to do, and what is only a cluster's.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::bus::{Told, evict, listening};
use super::server::Server;
use super::*;
use crate::bus::News;
use crate::tiers::LinkState;
use crate::tiers::redis::cluster::slot;

const SLOTS: u16 = 16_384;

/// Three primaries with a third of the slots each.
pub(super) struct Cluster {
    nodes: Vec<Server>,
}

impl Cluster {
    pub(super) fn start() -> Self {
        let start = |_| Server::node(&["--cluster-node-timeout", "2000"]);
        let nodes: Vec<_> = (0..3).map(start).collect();
        let third = SLOTS / 3 + 1;
        for (number, node) in (0_u16..).zip(&nodes) {
            let first = number * third;
            let last = (first + third - 1).min(SLOTS - 1);
            node.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()]);
            let slots: Vec<String> = (first..=last).map(|slot| slot.to_string()).collect();
            let slots: Vec<&str> = slots.iter().map(String::as_str).collect();
            let added = node.ask(&[&["CLUSTER", "ADDSLOTS"], &slots[..]].concat());
            assert_eq!(added, "+OK\r\n");
        }
        for other in &nodes[1..] {
            let port = other.port().to_string();
            let met = nodes[0].ask(&["CLUSTER", "MEET", "127.0.0.1", &port]);
            assert_eq!(met, "+OK\r\n");
        }
        let cluster = Self { nodes };
        cluster.settle();
        cluster
    }

    /// One more primary, which has no slots; its place among the nodes.
    fn grow(&mut self) -> usize {
        self.nodes
            .push(Server::node(&["--cluster-node-timeout", "2000"]));
        let new = self.nodes.len() - 1;
        let port = self.nodes[new].port().to_string();
        self.nodes[0].ask(&["CLUSTER", "MEET", "127.0.0.1", &port]);
        self.settle();
        new
    }

    /// Waits until every node knows all slots to be served.
    fn settle(&self) {
        let start = Instant::now();
        let known = format!("cluster_known_nodes:{}", self.nodes.len());
        let is_ok = |node: &Server| {
            let info = node.ask(&["CLUSTER", "INFO"]);
            info.contains("cluster_state:ok") && info.contains(&known)
        };
        while !self.nodes.iter().all(is_ok) {
            assert!(start.elapsed() < Duration::from_secs(30), "no cluster");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(super) fn url(&self) -> String {
        let address = |node: &Server| format!("127.0.0.1:{}", node.port());
        let addresses: Vec<_> = self.nodes.iter().map(address).collect();
        format!("redis-cluster://{}", addresses.join(","))
    }

    fn tier(&self, cache: &str) -> RedisTier {
        RedisTier::new(
            cache,
            super::super::parse(&self.url()).unwrap(),
            limits(1024),
        )
    }

    /// Who serves a key, by who does not send us away.
    fn owner(&self, key: &str) -> usize {
        let here = |node: &Server| !node.ask(&["EXISTS", key]).starts_with("-MOVED");
        self.nodes.iter().position(here).unwrap()
    }

    /// Whether a slot is one of a node's third.
    fn is_of(&self, slot: u16, node: usize) -> bool {
        usize::from(slot / (SLOTS / 3 + 1)) == node
    }

    fn id(&self, node: usize) -> String {
        let answer = self.nodes[node].ask(&["CLUSTER", "MYID"]);
        answer.lines().nth(1).unwrap().to_owned()
    }

    /// Says that a slot is on its way, and from where to where.
    fn begin_move(&self, slot: u16, from: usize, to: usize) {
        let slot = slot.to_string();
        let importing = ["CLUSTER", "SETSLOT", &slot, "IMPORTING", &self.id(from)];
        assert_eq!(self.nodes[to].ask(&importing), "+OK\r\n");
        let migrating = ["CLUSTER", "SETSLOT", &slot, "MIGRATING", &self.id(to)];
        assert_eq!(self.nodes[from].ask(&migrating), "+OK\r\n");
    }

    fn move_key(&self, key: &str, from: usize, to: usize) {
        let port = self.nodes[to].port().to_string();
        let moved = self.nodes[from].ask(&["MIGRATE", "127.0.0.1", &port, key, "0", "5000"]);
        assert!(moved == "+OK\r\n" || moved == "+NOKEY\r\n", "{moved}");
    }

    /// Says that it is there; the third hears of it.
    fn end_move(&self, slot: u16, from: usize, to: usize) {
        let (slot, id) = (slot.to_string(), self.id(to));
        for node in [to, from] {
            let set = self.nodes[node].ask(&["CLUSTER", "SETSLOT", &slot, "NODE", &id]);
            assert_eq!(set, "+OK\r\n");
        }
    }
}

/// One for all checks that run at the same time: it takes seconds until a cluster serves.
fn shared() -> Arc<Cluster> {
    static SHARED: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let cluster = shared
        .upgrade()
        .unwrap_or_else(|| Arc::new(Cluster::start()));
    *shared = Arc::downgrade(&cluster);
    cluster
}

#[cfg(feature = "test-util")]
mod conformance {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::shared;
    use crate::tiers::Tier;

    crate::tier_conformance!({
        static CHECKS: AtomicUsize = AtomicUsize::new(0);
        let check = CHECKS.fetch_add(1, Ordering::Relaxed);
        let cluster = shared();
        move |cache: &str| -> Arc<dyn Tier> { Arc::new(cluster.tier(&format!("{cache}-{check}"))) }
    });
}

#[test]
fn slots_are_those_of_the_server() {
    let cluster = shared();
    for key in [
        "",
        "a",
        "shop:{product:7}:lease",
        "shop:#sites",
        "{}a",
        "{a",
        "a{b}{c}",
    ] {
        let answer = cluster.nodes[0].ask(&["CLUSTER", "KEYSLOT", key]);
        assert_eq!(answer, format!(":{}\r\n", slot(key.as_bytes())), "{key}");
    }
}

/// While one key of four has gone to the other side, evictions reach all of them, and are heard.
#[tokio::test]
async fn what_is_on_its_way_is_evicted() {
    let cluster = Cluster::start();
    let (tier, (_other, ear)) = (cluster.tier("shop"), listening(&cluster.url()));
    ear.subscribed(1).await;
    fill(&tier, "a").await;
    let (value, lease) = ("shop:{a}", "shop:{a}:lease");
    let from = cluster.owner(value);
    let to = (from + 1) % 3;
    let on_its_way = slot(value.as_bytes());
    cluster.begin_move(on_its_way, from, to);
    // The value has gone, and a load runs whose lease is still where it was.
    let token = Token::random();
    let record = format!("{}l", "x".repeat(16));
    cluster.nodes[from].ask(&["SET", lease, &record, "PX", "60000"]);
    cluster.move_key(value, from, to);
    assert!(
        tier.get("a", SOON).await.unwrap().is_some(),
        "it is asked for where it went"
    );
    // With labels it is one of several commands.
    let labels = [Label::stored("hot")];
    let read = tier.read("a", &labels, SOON).await.unwrap();
    assert!(read.value.is_some() && read.labels == [Standing::Missing]);
    let refused = tier.acquire("a", load(token), SOON).await;
    assert!(refused.is_err(), "{refused:?}");

    let hold = Duration::from_secs(60);
    tier.evict(&[Eviction { key: "a", hold }], SOON)
        .await
        .unwrap();
    assert_eq!(tier.get("a", SOON).await.unwrap(), None);
    let heard = |told: &[Told]| {
        told.iter().any(
            |it| matches!(it, Told::News(News::Gone(gone), false) if gone.keys == [Box::<str>::from("a")]),
        )
    };
    ear.until("heard", heard).await;
    tier.evict(
        &[Eviction {
            key: "a",
            hold: hold / 2,
        }],
        SOON,
    )
    .await
    .unwrap();
    for node in &cluster.nodes {
        let left = node.ask(&["EVAL", "return redis.pcall('EXISTS', KEYS[1])", "1", lease]);
        assert!(!left.starts_with(":1"), "{left}");
    }
    for key in [value, lease, "shop:{a}:hold"] {
        cluster.move_key(key, from, to);
    }
    cluster.end_move(on_its_way, from, to);
    let left = cluster.nodes[to].ask(&["PTTL", "shop:{a}:hold"]);
    assert!(integer(&left) > 45_000, "a hold is not shortened: {left}");
    let held = tier.acquire("a", load(token), SOON).await.unwrap();
    assert_eq!(held, Acquired::Hold);
}

/// The clock is moved on in one round trip and the label replaced in another, so a later eviction may come first.
#[test]
fn the_later_of_two_evictions_stands() {
    let server = Server::start();
    let script = include_str!("../scripts/evict_labels.lua");
    let evict = |manner: &str, made: &str, random: &str| {
        let args = [manner, "channel", "", made, "60000", "", "0", random, "0"];
        let words = [&["EVAL", script, "1", "label"], &args[..]].concat();
        assert_eq!(server.ask(&words), ":1\r\n");
        let answer = server.ask(&["GET", "label"]);
        answer.lines().nth(1).unwrap().to_owned()
    };
    let (era, other) = ("00000000000000ee", "00000000000000ff");
    let made = |era: &str, n: u8| format!("{era}:{n}");
    let (a, b, c) = ("a".repeat(16), "b".repeat(16), "c".repeat(16));
    assert_eq!(evict("0", &made(era, 6), &a), format!("g{a}{era}6"));
    // It replaces what it finds, because that may be an expiry, which is less; but it is not later than it.
    assert_eq!(evict("0", &made(era, 5), &b), format!("g{b}{era}6"));
    let half = &a[..8];
    assert_eq!(
        evict("1", &made(era, 7), &a),
        format!("g{}{half}{era}7", &b[..8])
    );
    assert_eq!(evict("0", &made(other, 1), &c), format!("g{c}{other}1"));
    // Without a clock nothing is made, and what is not there is dead.
    server.ask(&["SET", "label", "x"]);
    let args = ["0", "channel", "", ":", "60000", "", "0", &a, "0"];
    server.ask(&[&["EVAL", script, "1", "label"], &args[..]].concat());
    assert_eq!(server.ask(&["EXISTS", "label"]), ":0\r\n");
}

/// One primary takes no writes, so no beats, and hands on what the others say, often sooner than they do.
#[tokio::test]
async fn what_is_heard_first_where_nobody_relies_on_it_is_heard_all_the_same() {
    let cluster = Cluster::start();
    cluster.nodes[2].ask(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    let (tier, (_other, ear)) = (cluster.tier("shop"), listening(&cluster.url()));
    ear.subscribed(1).await;
    let owner = |key: &String| cluster.owner(&format!("shop:{{{key}}}"));
    let keys = (0..).map(|n| format!("a:{n}"));
    let keys: Vec<_> = keys.filter(|key| owner(key) != 2).take(300).collect();
    for key in &keys {
        evict(&tier, key).await;
    }
    let heard = |told: &[Told]| {
        let of_one = |told: &&Told| matches!(told, Told::News(News::Gone(gone), false) if gone.keys.len() == 1);
        told.iter().filter(of_one).count() == keys.len()
    };
    ear.until("heard all", heard).await;
}

/// The primary that keeps the clock may be the one that is gone.
#[test]
fn a_hold_of_the_cache_needs_no_clock() {
    let server = Server::start();
    let script = include_str!("../scripts/evict_labels.lua");
    let random = "a".repeat(16);
    for (hold, begins) in [("60000", "h"), ("0", "h")] {
        let args = ["0", "channel", "", ":", "60000", &random, hold];
        let words = [&["EVAL", script, "1", "sites"], &args[..]].concat();
        assert_eq!(server.ask(&words), ":1\r\n");
        let answer = server.ask(&["HGET", "sites", "#gen"]);
        let generation = answer.lines().nth(1).unwrap_or_default();
        assert!(generation.starts_with(begins), "{hold}: {answer}");
    }
    server.ask(&["DEL", "sites"]);
    let args = ["0", "channel", "", ":", "60000", &random, "0"];
    server.ask(&[&["EVAL", script, "1", "sites"], &args[..]].concat());
    assert_eq!(server.ask(&["HEXISTS", "sites", "#gen"]), ":0\r\n");
}

#[test]
fn the_clock_moves_when_it_is_told_to() {
    let server = Server::start();
    let tick = |by: &str| {
        let script = include_str!("../scripts/tick.lua");
        let answer = server.ask(&["EVAL", script, "1", "clock", "00000000000000ee", by]);
        answer.lines().nth(1).unwrap().to_owned()
    };
    for (by, shown) in [("0", "0"), ("0", "0"), ("1", "1"), ("3", "4"), ("0", "4")] {
        assert_eq!(tick(by), format!("00000000000000ee:{shown}"));
    }
}

/// The bus is another, too: it has to be known that nothing was missed.
#[tokio::test]
async fn a_slot_that_has_moved_is_followed() {
    let cluster = Cluster::start();
    let (tier, ear) = listening(&cluster.url());
    ear.subscribed(1).await;
    fill(&tier, "a").await;
    let before = tier.connection();
    let from = cluster.owner("shop:{a}");
    let (moved, to) = (slot(b"shop:{a}"), (from + 1) % 3);
    cluster.begin_move(moved, from, to);
    cluster.move_key("shop:{a}", from, to);
    cluster.end_move(moved, from, to);
    assert!(tier.get("a", SOON).await.unwrap().is_some());
    ear.subscribed(2).await;
    let lost =
        |told: &Told| matches!(told, Told::Lost(why) if why == "slots of the cluster have moved");
    assert!(ear.told().iter().any(lost), "{:?}", ear.told());
    assert!(
        tier.connection() > before,
        "another server may have answered"
    );
    evict(&tier, "a").await;
    assert_eq!(tier.get("a", SOON).await.unwrap(), None);
}

#[tokio::test]
async fn a_sweep_fails_while_slots_move() {
    let cluster = Cluster::start();
    let tier = cluster.tier("shop");
    for n in 0..50 {
        fill(&tier, &format!("a:{n}")).await;
    }
    let pattern = Pattern::region("a");
    let from = cluster.owner("shop:{a:1}");
    let (moved, to) = (slot(b"shop:{a:1}"), (from + 1) % 3);
    cluster.begin_move(moved, from, to);
    let error = tier.sweep(&pattern, SOON).await.unwrap_err();
    assert!(error.text.contains("slots moved"), "{error}");
    for n in 0..50 {
        assert!(
            tier.get(&format!("a:{n}"), SOON).await.unwrap().is_some(),
            "nothing was begun"
        );
    }
    cluster.move_key("shop:{a:1}", from, to);
    cluster.end_move(moved, from, to);
    assert_eq!(tier.sweep(&pattern, SOON).await.unwrap(), 50);

    // One that moves, and back, while another primary is looked through.
    for n in 0..50 {
        fill(&tier, &format!("a:{n}")).await;
    }
    let (paused, others) = (&cluster.nodes[from], [(from + 1) % 3, (from + 2) % 3]);
    paused.ask(&["CLIENT", "PAUSE", "60000", "WRITE"]);
    let moving = async {
        let values = |node: usize| cluster.nodes[node].ask(&["KEYS", "shop:{a:*"]);
        while others.iter().any(|node| values(*node) != "*0\r\n") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let empty = (0..SLOTS).find(|slot| {
            let count = ["CLUSTER", "COUNTKEYSINSLOT", &slot.to_string()];
            cluster.is_of(*slot, others[0]) && cluster.nodes[others[0]].ask(&count) == ":0\r\n"
        });
        for (from, to) in [(others[0], others[1]), (others[1], others[0])] {
            cluster.begin_move(empty.unwrap(), from, to);
            cluster.end_move(empty.unwrap(), from, to);
        }
        paused.ask(&["CLIENT", "UNPAUSE"]);
    };
    let (swept, ()) = tokio::join!(tier.sweep(&pattern, Duration::from_secs(10)), moving);
    let error = swept.unwrap_err();
    assert!(error.text.contains("slots moved"), "{error}");
}

/// Who has not heard of the primary it went to has not looked for it there.
#[tokio::test]
async fn a_sweep_finds_what_has_gone_to_a_new_primary() {
    let mut cluster = Cluster::start();
    let tier = cluster.tier("shop");
    fill(&tier, "a:1").await;
    let key = "shop:{a:1}";
    let (from, moved) = (cluster.owner(key), slot(key.as_bytes()));
    let to = cluster.grow();
    cluster.begin_move(moved, from, to);
    cluster.move_key(key, from, to);
    cluster.end_move(moved, from, to);
    let (pattern, start) = (Pattern::region("a"), Instant::now());
    while let Err(error) = tier.sweep(&pattern, SOON).await {
        assert!(error.text.contains("slots moved"), "{error}");
        assert!(start.elapsed() < Duration::from_secs(20), "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(cluster.nodes[to].ask(&["EXISTS", key]), ":0\r\n");
}

#[tokio::test]
async fn a_primary_that_is_gone_is_named_and_the_others_serve() {
    let mut cluster = Cluster::start();
    for node in &cluster.nodes {
        node.ask(&["CONFIG", "SET", "cluster-require-full-coverage", "no"]);
    }
    let tier = cluster.tier("shop");
    let keys: Vec<_> = (0..30).map(|n| format!("a:{n}")).collect();
    for key in &keys {
        fill(&tier, key).await;
    }
    let owners: Vec<_> = keys
        .iter()
        .map(|key| cluster.owner(&format!("shop:{{{key}}}")))
        .collect();
    cluster.nodes[1].kill();
    let lost = format!("the primary 127.0.0.1:{}", cluster.nodes[1].port());
    let start = Instant::now();
    let missing = loop {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{:?}",
            tier.state()
        );
        match tier.state() {
            LinkState::Connected { missing, .. } if !missing.is_empty() => break missing,
            _ => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    };
    assert!(missing[0].starts_with(&lost), "{missing:?}");
    for (key, owner) in keys.iter().zip(&owners) {
        let began = Instant::now();
        let found = tier.get(key, SOON).await;
        assert_eq!(found.is_ok_and(|it| it.is_some()), *owner != 1, "{key}");
        assert!(began.elapsed() < Duration::from_secs(1), "{key}");
    }
    cluster.nodes[0].kill();
    cluster.nodes[2].kill();
    while !matches!(tier.state(), LinkState::Down { .. }) {
        assert!(
            start.elapsed() < Duration::from_secs(40),
            "{:?}",
            tier.state()
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
