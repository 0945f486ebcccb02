//! The link when the server is in trouble.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::server::{alone, is_alone};
use super::*;
use crate::tiers::{ErrorKind, Eviction, LinkState};

const BUDGET: Duration = Duration::from_millis(100);

fn why(tier: &RedisTier) -> String {
    match tier.state() {
        LinkState::Down { why, .. } => why.to_string(),
        other => panic!("not down: {other:?}"),
    }
}

async fn down_within(tier: &RedisTier, limit: Duration) {
    let start = Instant::now();
    while !matches!(tier.state(), LinkState::Down { .. }) {
        assert!(
            start.elapsed() < limit,
            "still not down: {:?}",
            tier.state()
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn at_once(start: Instant) {
    assert!(
        start.elapsed() < Duration::from_millis(60),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn a_killed_server_is_noticed_at_once_and_found_again() {
    let mut server = Server::start();
    let tier = tier(&server);
    fill(&tier, "a").await;
    server.kill();
    let start = Instant::now();
    assert_eq!(
        tier.get("a", SOON).await.unwrap_err().kind,
        ErrorKind::Unavailable
    );
    at_once(start);
    down_within(&tier, BUDGET).await;
    let start = Instant::now();
    assert_eq!(
        tier.get("a", SOON).await.unwrap_err().kind,
        ErrorKind::Unavailable
    );
    at_once(start);

    server.restart();
    assert!(tier.connected_within(Duration::from_millis(2500)).await);
    assert_eq!(tier.get("a", SOON).await.unwrap(), None);
    fill(&tier, "a").await;
}

#[tokio::test]
async fn a_stopped_server_costs_five_deadlines_and_then_nothing() {
    let server = Server::start();
    let tier = tier(&server);
    fill(&tier, "a").await;
    server.signal("STOP");
    for _ in 0..5 {
        let start = Instant::now();
        assert!(tier.get("a", BUDGET).await.is_err());
        assert!(start.elapsed() < BUDGET * 2, "{:?}", start.elapsed());
    }
    // The supervisor has not had its turn yet.
    assert!(matches!(tier.state(), LinkState::Connected { .. }));
    let start = Instant::now();
    assert!(tier.get("a", BUDGET).await.is_err());
    at_once(start);
    down_within(&tier, BUDGET).await;
    let start = Instant::now();
    assert!(tier.get("a", BUDGET).await.is_err());
    at_once(start);
    server.signal("CONT");
    assert!(tier.connected_within(Duration::from_millis(3500)).await);
    assert!(tier.get("a", SOON).await.unwrap().is_some());
}

/// What is under way goes together, and each who waits has a deadline of its own all the same.
#[tokio::test]
async fn a_crowd_before_a_stopped_server_is_one_deadline_late_and_then_not_late() {
    let server = Server::start();
    let tier = Arc::new(tier(&server));
    fill(&tier, "a").await;
    server.signal("STOP");
    let ask = |budget: Duration| {
        let tier = Arc::clone(&tier);
        tokio::spawn(async move {
            let start = Instant::now();
            let answer = tier.get("a", budget).await;
            (answer.is_err(), start.elapsed())
        })
    };
    let crowd: Vec<_> = (0..100).map(|_| ask(BUDGET)).collect();
    let left: Vec<_> = (0..50).map(|_| ask(SOON)).collect();
    tokio::task::yield_now().await;
    left.iter().for_each(|asked| asked.abort());
    for asked in crowd {
        let (failed, took) = asked.await.unwrap();
        assert!(failed && took < BUDGET * 3, "{took:?}");
    }
    down_within(&tier, BUDGET).await;
    let start = Instant::now();
    assert!(tier.get("a", BUDGET).await.is_err());
    at_once(start);
    server.signal("CONT");
    assert!(tier.connected_within(Duration::from_millis(3500)).await);
    let crowd: Vec<_> = (0..100).map(|_| ask(SOON)).collect();
    for asked in crowd {
        assert!(!asked.await.unwrap().0);
    }
}

#[tokio::test]
async fn an_idle_link_to_a_stopped_server_is_noticed() {
    let server = Server::start();
    let tier = tier(&server);
    assert!(tier.connected_within(SOON).await);
    server.signal("STOP");
    down_within(&tier, Duration::from_secs(3)).await;
    server.signal("CONT");
}

#[tokio::test]
async fn a_wrong_password_is_never_final_and_never_shown() {
    let mut server = Server::with(&["--requirepass", "other"]);
    server.sign_in_with("other");
    let url = format!("redis://:s3cret@127.0.0.1:{}", server.port());
    let tier = RedisTier::new("shop", crate::tiers::redis::parse(&url).unwrap(), limits(8));
    let error = tier.get("a", SOON).await.unwrap_err();
    assert!(why(&tier).contains("WRONGPASS"), "{}", why(&tier));
    assert!(!format!("{error:?} {tier:?}").contains("s3cret"));
    server.ask(&["CONFIG", "SET", "requirepass", "s3cret"]);
    assert!(tier.connected_within(Duration::from_millis(2500)).await);
    assert_eq!(tier.get("a", SOON).await.unwrap(), None);
}

#[tokio::test]
async fn a_missing_password_is_said() {
    let server = Server::with(&["--requirepass", "other"]);
    let tier = tier(&server);
    assert!(tier.get("a", SOON).await.is_err());
    assert!(why(&tier).contains("NOAUTH"), "{}", why(&tier));
}

#[tokio::test]
async fn a_server_that_became_a_replica_is_left_until_it_is_none() {
    let server = Server::start();
    let tier = tier(&server);
    let token = Token::random();
    tier.acquire("a", load(token), SOON).await.unwrap();
    server.ask(&["REPLICAOF", "127.0.0.1", "1"]);
    let keys = [Eviction {
        key: "a",
        hold: Duration::ZERO,
    }];
    let error = tier.evict(&keys, SOON).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.text.contains("READONLY"), "{error}");
    down_within(&tier, BUDGET).await;
    // A read would be answered: from a replica, which is never read.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(why(&tier).contains("READONLY"), "{}", why(&tier));
    server.ask(&["REPLICAOF", "NO", "ONE"]);
    assert!(tier.connected_within(Duration::from_millis(2500)).await);
    tier.evict(&keys, SOON).await.unwrap();
}

#[tokio::test]
async fn a_refused_command_does_not_cost_the_connection() {
    let server = Server::start();
    let tier = tier(&server);
    assert!(tier.connected_within(SOON).await);
    let before = Instant::now();
    server.ask(&["ACL", "SETUSER", "default", "-evalsha"]);
    let error = tier
        .acquire("a", load(Token::random()), SOON)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.text.starts_with("NOPERM"), "{error}");
    assert!(tier.get("a", SOON).await.is_ok());
    assert!(matches!(tier.state(), LinkState::Connected { since, .. } if since.at < before));
}

/// Forwards to a server, until told to forget the connections it has.
pub(super) struct Proxy {
    port: u16,
    epoch: Arc<AtomicUsize>,
}

impl Proxy {
    pub(super) fn before(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let epoch = Arc::new(AtomicUsize::new(0));
        let (current, target) = (Arc::clone(&epoch), server.port());
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(("127.0.0.1", target)).unwrap();
                let mine = current.load(Ordering::SeqCst);
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let current = Arc::clone(&current);
                    std::thread::spawn(move || {
                        forward(from, to, || current.load(Ordering::SeqCst) == mine)
                    });
                }
            }
        });
        Self { port, epoch }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn black_hole_what_is_open(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream, open: impl Fn() -> bool) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if open() && to.write_all(&buffer[..length]).is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn a_half_open_connection_is_noticed_and_replaced() {
    let server = Server::start();
    let proxy = Proxy::before(&server);
    let url = format!("redis://127.0.0.1:{}", proxy.port);
    let tier = RedisTier::new("shop", crate::tiers::redis::parse(&url).unwrap(), limits(8));
    assert!(tier.connected_within(SOON).await);
    proxy.black_hole_what_is_open();
    let start = Instant::now();
    down_within(&tier, Duration::from_secs(3)).await;
    assert!(
        tier.connected_within(Duration::from_secs(5) - start.elapsed())
            .await
    );
    assert!(tier.get("a", SOON).await.is_ok());
}

#[tokio::test]
async fn garbage_drops_the_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let done = Arc::new(AtomicBool::new(false));
    std::thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            if done.load(Ordering::SeqCst) {
                return;
            }
        }
    });
    let tier = RedisTier::new("shop", crate::tiers::redis::parse(&url).unwrap(), limits(8));
    let start = Instant::now();
    assert!(tier.get("a", SOON).await.is_err());
    assert!(
        start.elapsed() < Duration::from_millis(1500),
        "{:?}",
        start.elapsed()
    );
}

/// Counts log lines by level.
#[derive(Clone, Default)]
pub(super) struct Log(pub(super) Arc<Mutex<Vec<tracing::Level>>>);

impl tracing::Subscriber for Log {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.is_event()
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        self.0.lock().unwrap().push(*event.metadata().level());
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn a_change_of_state_is_one_log_line() {
    // Whether a line is wanted at all is cached for the whole process, by whoever asks first.
    if !is_alone() {
        assert!(alone("trouble::a_change_of_state_is_one_log_line").success());
        return;
    }
    let log = Log::default();
    let _log = tracing::subscriber::set_default(log.clone());
    let mut server = Server::start();
    let tier = tier(&server);
    assert!(tier.connected_within(SOON).await);
    server.kill();
    for _ in 0..100 {
        assert!(tier.get("a", SOON).await.is_err());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.restart();
    assert!(tier.connected_within(Duration::from_millis(2500)).await);
    let seen = log.0.lock().unwrap().clone();
    assert_eq!(
        seen,
        [
            tracing::Level::INFO,
            tracing::Level::WARN,
            tracing::Level::INFO
        ]
    );
}

/// The commands that a connected tier says it may not use.
async fn missing(url: &str) -> Vec<String> {
    let tier = RedisTier::new("shop", crate::tiers::redis::parse(url).unwrap(), limits(8));
    assert!(tier.connected_within(SOON).await, "{:?}", tier.state());
    let LinkState::Connected { missing, .. } = tier.state() else {
        panic!("{:?}", tier.state())
    };
    let names = missing.iter().map(|it| it.split_once(": ").unwrap().0);
    let mut names: Vec<_> = names.map(str::to_owned).collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_an_account_may_not_do_is_named_when_it_connects() {
    let server = Server::start();
    assert_eq!(missing(&server.url()).await, [""; 0]);
    let account = |rules: &[&str]| {
        let words = [
            "ACL",
            "SETUSER",
            "app",
            "reset",
            "on",
            ">pw",
            "~shop:*",
            "resetchannels",
            "&shop:*",
            "+@all",
        ];
        server.ask(&[&words[..], rules].concat());
        format!("redis://app:pw@127.0.0.1:{}", server.port())
    };
    assert_eq!(missing(&account(&[])).await, [""; 0]);
    for (rules, names) in [
        (&["-scan"][..], &["SCAN"][..]),
        (&["-publish"], &["PUBLISH"]),
        (&["resetchannels"], &["PUBLISH"]),
        (&["-hset", "-setrange"], &["HSET", "SETRANGE"]),
        (&["-eval"], &["EVAL"]),
        (&["-evalsha"], &["EVALSHA"]),
        (&["-script"], &["SCRIPT LOAD"]),
        (&["-ping"], &["PING"]),
    ] {
        assert_eq!(missing(&account(rules)).await, names, "{rules:?}");
    }
    assert_eq!(server.ask(&["DBSIZE"]), ":0\r\n", "nothing is left behind");
}

#[tokio::test]
async fn a_full_server_refuses_nobody_in_particular() {
    let server = Server::start();
    server.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    assert_eq!(missing(&server.url()).await, [""; 0]);
}
