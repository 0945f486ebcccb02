//! The bus between instances on a real server, in health and in trouble.

use std::sync::{Arc, Mutex, Weak};
use std::time::Instant;

use super::server::{alone, is_alone};
use super::trouble::Log;
use super::*;
use crate::bus::{Gone, Listener, Message, News, Sender};
use crate::tiers::redis::bus::Bus;
use crate::tiers::redis::servers::Servers;

/// Longer than anything here takes, also on a busy machine.
const AT_LAST: Duration = Duration::from_secs(20);

/// What a listener was told. Beats are counted only.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Told {
    Subscribed,
    Lost(String),
    Unsupported(String),
    News(News, bool),
}

pub(super) struct Ear {
    told: Mutex<Vec<Told>>,
    /// When each beat that came back was sent.
    beats: Mutex<Vec<u64>>,
    began: Instant,
}

impl Default for Ear {
    fn default() -> Self {
        Self {
            told: Mutex::default(),
            beats: Mutex::default(),
            began: Instant::now(),
        }
    }
}

impl Ear {
    fn tell(&self, told: Told) {
        self.told.lock().unwrap().push(told);
    }

    pub(super) fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    fn beats(&self) -> usize {
        self.beats.lock().unwrap().len()
    }

    /// Waits until enough was told; how long that took.
    pub(super) async fn until(&self, what: &str, holds: impl Fn(&[Told]) -> bool) -> Duration {
        let start = Instant::now();
        while !holds(&self.told()) {
            assert!(start.elapsed() < AT_LAST, "never {what}: {:?}", self.told());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        start.elapsed()
    }

    pub(super) async fn subscribed(&self, times: usize) {
        let what = format!("subscribed {times} times");
        self.until(&what, |told| count(told, &Told::Subscribed) >= times)
            .await;
    }

    async fn lost(&self) -> Duration {
        self.until("lost", |told| told.iter().any(is_lost)).await
    }

    pub(super) async fn beats_again(&self) {
        let (start, before) = (Instant::now(), self.beats());
        while self.beats() == before {
            assert!(start.elapsed() < AT_LAST, "no beat");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

pub(super) fn count(told: &[Told], what: &Told) -> usize {
    told.iter().filter(|it| *it == what).count()
}

pub(super) fn is_lost(told: &Told) -> bool {
    matches!(told, Told::Lost(_))
}

impl Listener for Ear {
    fn moment(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap()
    }
    fn subscribed(&self, _: u64) {
        self.tell(Told::Subscribed);
    }
    fn lost(&self, why: &str) {
        self.tell(Told::Lost(why.to_owned()));
    }
    fn beat(&self, since: u64) {
        self.beats.lock().unwrap().push(since);
    }
    fn unsupported(&self, why: &str) {
        self.tell(Told::Unsupported(why.to_owned()));
    }
    fn news(&self, news: &News, own: bool) {
        self.tell(Told::News(news.clone(), own));
    }
}

/// A tier that listens.
pub(super) fn listening(url: &str) -> (RedisTier, Arc<Ear>) {
    let tier = RedisTier::new(
        "shop",
        crate::tiers::redis::parse(url).unwrap(),
        limits(1024),
    );
    let ear = Arc::new(Ear::default());
    tier.listen(Arc::clone(&ear) as Arc<dyn Listener>);
    tier.wake();
    (tier, ear)
}

pub(super) fn gone(key: &str) -> News {
    News::Gone(Gone {
        keys: vec![key.into()],
        ..Gone::default()
    })
}

pub(super) async fn evict(tier: &RedisTier, key: &str) {
    let hold = Duration::ZERO;
    tier.evict(&[Eviction { key, hold }], SOON).await.unwrap();
}

#[tokio::test]
async fn a_copy_of_a_message_is_dropped() {
    let server = Server::start();
    let (tier, ear) = listening(&server.url());
    ear.subscribed(1).await;
    let copy = tier.announcer.changed("a");
    for message in [copy.clone(), copy, tier.announcer.changed("b")] {
        publish(&tier, &message).await;
    }
    let last = Told::News(gone("b"), true);
    ear.until("b heard", |told| told.contains(&last)).await;
    assert_eq!(count(&ear.told(), &Told::News(gone("a"), true)), 1);
}

/// Any bytes on the channel of the cache.
async fn publish(tier: &RedisTier, message: &[u8]) {
    let mut command = redis::cmd("PUBLISH");
    command.arg(tier.names.bus()).arg(message);
    let work = async |mut connection: crate::tiers::redis::link::Connection| {
        connection.command(&command).await
    };
    let lane = crate::tiers::redis::link::Lane::Upkeep;
    tier.servers.call("", lane, SOON, work).await.unwrap();
}

#[tokio::test]
async fn another_database_and_another_cache_are_not_heard() {
    let server = Server::start();
    let (here, ear) = listening(&server.url());
    let (there, _) = listening(&format!("{}/1", server.url()));
    let endpoint = crate::tiers::redis::parse(&server.url()).unwrap();
    let other = RedisTier::new("shop2", endpoint, limits(1024));
    ear.subscribed(1).await;
    evict(&there, "a").await;
    evict(&other, "a").await;
    evict(&here, "b").await;
    ear.until("b heard", |told| told.len() > 1).await;
    let only = vec![Told::Subscribed, Told::News(gone("b"), true)];
    assert_eq!(ear.told(), only);
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_a_loss_and_a_new_start() {
    let server = Server::start();
    let (tier, ear) = listening(&server.url());
    ear.subscribed(1).await;
    publish(&tier, b"of another version").await;
    ear.subscribed(2).await;
    let told = ear.told();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(is_lost(&told[1]), "{told:?}");
}

/// There is a bus: the suite would have nothing to say without one.
#[tokio::test]
async fn beats_come_without_traffic_and_prove_the_way() {
    let server = Server::start();
    let (_tier, ear) = listening(&server.url());
    ear.subscribed(1).await;
    for _ in 0..3 {
        ear.beats_again().await;
    }
    assert_eq!(ear.told(), [Told::Subscribed]);
}

#[tokio::test]
async fn a_beat_counts_from_when_it_was_sent() {
    let server = Server::start();
    let (_tier, ear) = listening(&server.url());
    ear.subscribed(1).await;
    ear.beats_again().await;
    server.signal("STOP");
    // At least one is sent meanwhile, and the silence is not noticed yet.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let (before, answers) = (ear.beats(), ear.moment());
    server.signal("CONT");
    ear.beats_again().await;
    let sent = ear.beats.lock().unwrap()[before];
    assert!(
        sent < answers,
        "sent at {sent} ms, and no sign of life of later"
    );
}

#[tokio::test]
async fn a_killed_subscription_is_lost_at_once_and_made_again() {
    let server = Server::start();
    let (tier, ear) = listening(&server.url());
    ear.subscribed(1).await;
    assert_eq!(server.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]), ":1\r\n");
    let took = ear.lost().await;
    // Without waiting for the silence to be noticed.
    assert!(took < Duration::from_secs(2), "{took:?}");
    ear.subscribed(2).await;
    let told = ear.told();
    assert_eq!(told.len(), 3, "{told:?}");
    evict(&tier, "a").await;
    let last = Told::News(gone("a"), true);
    ear.until("heard", |told| told.contains(&last)).await;
}

#[tokio::test]
async fn a_stopped_server_is_lost_within_its_silence() {
    let server = Server::start();
    let (_tier, ear) = listening(&server.url());
    ear.subscribed(1).await;
    server.signal("STOP");
    let took = ear.lost().await;
    assert!(took < Duration::from_secs(6), "{took:?}");
    server.signal("CONT");
    ear.subscribed(2).await;
}

#[tokio::test]
async fn a_change_of_hearing_is_one_log_line() {
    // Whether a line is wanted at all is cached for the whole process, by whoever asks first.
    if !is_alone() {
        assert!(alone("bus::a_change_of_hearing_is_one_log_line").success());
        return;
    }
    let log = Log::default();
    let _log = tracing::subscriber::set_default(log.clone());
    let mut server = Server::start();
    let (_tier, ear) = listening(&server.url());
    ear.subscribed(1).await;
    server.kill();
    ear.lost().await;
    // Long enough for several attempts.
    tokio::time::sleep(Duration::from_millis(500)).await;
    server.restart();
    ear.subscribed(2).await;
    let lines = log.0.lock().unwrap();
    let count = |level| lines.iter().filter(|it| **it == level).count();
    // One by the link, one by the bus.
    assert_eq!(count(tracing::Level::WARN), 2);
    assert_eq!(count(tracing::Level::INFO), 4);
}

#[tokio::test]
async fn a_restarted_server_is_found_again() {
    let mut server = Server::start();
    let (tier, ear) = listening(&server.url());
    ear.subscribed(1).await;
    server.kill();
    ear.lost().await;
    server.restart();
    ear.subscribed(2).await;
    evict(&tier, "a").await;
    let last = Told::News(gone("a"), true);
    ear.until("heard", |told| told.contains(&last)).await;
}

#[tokio::test]
async fn every_instance_notices_that_the_server_lost_its_data() {
    let server = Server::start();
    let (_here, one) = listening(&server.url());
    let (_there, two) = listening(&server.url());
    for ear in [&one, &two] {
        ear.subscribed(1).await;
        // The first answer is what later ones are compared with.
        ear.beats_again().await;
    }
    server.ask(&["FLUSHALL"]);
    for ear in [&one, &two] {
        ear.subscribed(2).await;
        let lost = Told::Lost("the server lost its data".to_owned());
        assert_eq!(
            ear.told(),
            [Told::Subscribed, lost, Told::Subscribed],
            "once"
        );
    }
}

#[tokio::test]
async fn a_server_that_is_out_of_memory_still_beats() {
    let server = Server::start();
    server.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    let (_tier, ear) = listening(&server.url());
    ear.subscribed(1).await;
    ear.beats_again().await;
    assert_eq!(ear.told(), [Told::Subscribed]);
}

#[tokio::test]
async fn a_server_that_became_a_replica_is_lost() {
    let server = Server::start();
    let (_tier, ear) = listening(&server.url());
    ear.subscribed(1).await;
    server.ask(&["REPLICAOF", "127.0.0.1", "1"]);
    ear.lost().await;
    server.ask(&["REPLICAOF", "NO", "ONE"]);
    ear.subscribed(2).await;
}

/// An account that may do all but this.
fn limited(server: &Server, rule: &[&str]) -> String {
    let mut words = vec![
        "ACL", "SETUSER", "app", "reset", "on", ">s3cret", "+@all", "~*",
    ];
    words.extend(rule);
    assert_eq!(server.ask(&words), "+OK\r\n");
    format!("redis://app:s3cret@127.0.0.1:{}", server.port())
}

#[tokio::test]
async fn who_may_not_has_no_bus_and_is_told_once() {
    for rule in [
        ["resetchannels", "+@all"],
        ["&*", "-subscribe"],
        ["&*", "-publish"],
        ["&*", "-evalsha"],
    ] {
        let server = Server::start();
        let (tier, ear) = listening(&limited(&server, &rule));
        ear.until("told", |told| !told.is_empty()).await;
        let told = ear.told();
        assert!(
            matches!(&told[..], [Told::Unsupported(why)] if !why.contains("s3cret")),
            "{rule:?}: {told:?}"
        );
        assert!(tier.get("a", SOON).await.is_ok(), "{rule:?}");
    }
}

#[tokio::test]
async fn who_may_later_is_subscribed_later() {
    let server = Server::start();
    let url = limited(&server, &["resetchannels"]);
    let tier = RedisTier::new("shop", crate::tiers::redis::parse(&url).unwrap(), limits(8));
    let ear = Arc::new(Ear::default());
    let Servers::One(link) = &tier.servers else {
        panic!("one server");
    };
    let instance = tier.announcer.instance();
    let bus = Bus {
        retry_forbidden: Duration::from_millis(100),
        ..Bus::new(&tier.names, instance, link, 0, Arc::clone(&ear) as _)
    };
    let running = tokio::spawn(Arc::new(bus).run());
    ear.until("unsupported", |told| !told.is_empty()).await;
    // Long enough for several attempts, none of which is told.
    tokio::time::sleep(Duration::from_millis(500)).await;
    server.ask(&["ACL", "SETUSER", "app", "&*"]);
    ear.subscribed(1).await;
    assert_eq!(ear.told().len(), 2, "{:?}", ear.told());
    running.abort();
}

#[tokio::test]
async fn a_password_is_used_and_never_told() {
    let mut server = Server::with(&["--requirepass", "other"]);
    server.sign_in_with("other");
    let url = format!("redis://:s3cret@127.0.0.1:{}", server.port());
    let (_tier, ear) = listening(&url);
    ear.lost().await;
    assert!(!format!("{:?}", ear.told()).contains("s3cret"));
    server.ask(&["CONFIG", "SET", "requirepass", "s3cret"]);
    ear.subscribed(1).await;
}

/// Each connection of ours, by the words of `CLIENT LIST`.
fn connections(server: &Server) -> usize {
    // One is the asking one.
    server.ask(&["CLIENT", "LIST"]).matches("id=").count() - 1
}

async fn ends(server: &Server, ear: &Weak<Ear>) {
    let start = Instant::now();
    while ear.strong_count() > 0 || connections(server) > 0 {
        assert!(start.elapsed() < AT_LAST, "{}", connections(server));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_dropped_tier_leaves_neither_task_nor_connection() {
    let server = Server::start();
    let (tier, ear) = listening(&server.url());
    ear.subscribed(1).await;
    assert_eq!(connections(&server), 2);
    let weak = Arc::downgrade(&ear);
    drop((tier, ear));
    ends(&server, &weak).await;
}

#[tokio::test]
async fn a_tier_dropped_during_a_beat_ends_all_the_same() {
    let server = Server::start();
    let (tier, ear) = listening(&server.url());
    ear.subscribed(1).await;
    server.signal("STOP");
    // A beat is sent within this time and is not answered.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let weak = Arc::downgrade(&ear);
    drop((tier, ear));
    let start = Instant::now();
    while weak.strong_count() > 0 {
        assert!(start.elapsed() < AT_LAST);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.signal("CONT");
    ends(&server, &weak).await;
}

#[tokio::test]
async fn closing_ends_the_subscription() {
    let server = Server::start();
    let (tier, ear) = listening(&server.url());
    ear.subscribed(1).await;
    tier.close(SOON).await;
    tier.wake();
    let start = Instant::now();
    while server.ask(&["PUBSUB", "CHANNELS"]) != "*0\r\n" {
        assert!(start.elapsed() < AT_LAST);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let before = ear.beats();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(ear.beats(), before);
    let lost = Told::Lost("the task that listened has ended".to_owned());
    assert_eq!(ear.told(), [Told::Subscribed, lost]);
}

#[test]
fn the_subscription_starts_again_when_its_runtime_is_gone() {
    let server = Server::start();
    let tier = tier(&server);
    let ear = Arc::new(Ear::default());
    tier.listen(Arc::clone(&ear) as Arc<dyn Listener>);
    for times in 1..=2 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            // A call is enough.
            tier.get("a", SOON).await.unwrap();
            ear.subscribed(times).await;
        });
    }
}

#[tokio::test]
async fn a_half_open_subscription_is_noticed_and_replaced() {
    let server = Server::start();
    let proxy = super::trouble::Proxy::before(&server);
    let (_tier, ear) = listening(&format!("redis://127.0.0.1:{}", proxy.port()));
    ear.subscribed(1).await;
    proxy.black_hole_what_is_open();
    let took = ear.lost().await;
    assert!(took < Duration::from_secs(6), "{took:?}");
    ear.subscribed(2).await;
}

/// A listener that is slow to hear.
#[derive(Default)]
struct Slow {
    ear: Ear,
}

impl Listener for Slow {
    fn moment(&self) -> u64 {
        0
    }
    fn subscribed(&self, _: u64) {
        self.ear.tell(Told::Subscribed);
    }
    fn lost(&self, why: &str) {
        self.ear.tell(Told::Lost(why.to_owned()));
    }
    fn beat(&self, _: u64) {}
    fn unsupported(&self, _: &str) {}
    fn news(&self, _: &News, _: bool) {
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_flood_that_is_heard_too_slowly_is_a_loss_and_passes() {
    let server = Server::start();
    let tier = tier(&server);
    let slow = Arc::new(Slow::default());
    tier.listen(Arc::clone(&slow) as Arc<dyn Listener>);
    tier.wake();
    slow.ear.subscribed(1).await;
    let sender: Sender = [7; 16];
    let keys = vec!["product:7".into(); 3_000];
    let port = server.port();
    let channel = tier.names.bus();
    std::thread::spawn(move || flood(port, &channel, sender, &News::Wake(keys)))
        .join()
        .unwrap();
    slow.ear.lost().await;
    // Because the inbox was full, or because our own beat was too far behind in it: a matter of the machine's speed.
    slow.ear.subscribed(2).await;
}

/// Some 25 MB of readable messages at once: more than is kept, and less than the server would give up at.
fn flood(port: u16, channel: &str, sender: Sender, news: &News) {
    use std::io::{Read, Write};
    let mut commands = Vec::new();
    for n in 0..700_u128 {
        let message = Message {
            id: n.to_be_bytes(),
            sender,
            database: 0,
            news: news.clone(),
        };
        let message = message.encode();
        let (words, length) = (channel.len(), message.len());
        let head = format!("*3\r\n$7\r\nPUBLISH\r\n${words}\r\n{channel}\r\n${length}\r\n");
        commands.extend_from_slice(head.as_bytes());
        commands.extend_from_slice(&message);
        commands.extend_from_slice(b"\r\n");
    }
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(&commands).unwrap();
    // One `:1` for each.
    let mut answers = vec![0; 700 * 4];
    stream.read_exact(&mut answers).unwrap();
}
