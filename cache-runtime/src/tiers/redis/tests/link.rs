//! The link on a healthy server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Instant, SystemTime};

use super::server::{lines_until, monitor};
use super::*;
use crate::tiers::{ErrorKind, Eviction, LinkState};

/// Waits for something the background task does.
async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(3), "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn each_step_is_one_command() {
    let server = Server::start();
    let tier = tier(&server);
    assert!(tier.connected_within(SOON).await);
    let monitor = monitor(&server);
    fill(&tier, "a").await;
    tier.get("a", SOON).await.unwrap();
    tier.evict(
        &[Eviction {
            key: "a",
            hold: LEASE,
        }],
        SOON,
    )
    .await
    .unwrap();
    server.ask(&["ECHO", "the end"]);
    let lines = lines_until(monitor, "the end");
    let commands: Vec<_> = lines
        .iter()
        .filter_map(|line| line.split('"').nth(1))
        .collect();
    assert_eq!(
        commands,
        ["EVALSHA", "EVALSHA", "GET", "EVALSHA"],
        "{lines:#?}"
    );
}

#[tokio::test]
async fn a_flushed_script_costs_one_more_command_once() {
    let server = Server::start();
    let tier = tier(&server);
    fill(&tier, "a").await;
    server.ask(&["SCRIPT", "FLUSH"]);
    let monitor = monitor(&server);
    for _ in 0..2 {
        tier.evict(
            &[Eviction {
                key: "a",
                hold: Duration::ZERO,
            }],
            SOON,
        )
        .await
        .unwrap();
    }
    server.ask(&["ECHO", "the end"]);
    let lines = lines_until(monitor, "the end");
    let commands: Vec<_> = lines
        .iter()
        .filter_map(|line| line.split('"').nth(1))
        .collect();
    // MONITOR does not show a command that was refused before it ran.
    assert_eq!(commands.last(), Some(&"EVALSHA"), "{lines:#?}");
    assert_eq!(
        commands.iter().filter(|name| **name == "EVAL").count(),
        1,
        "{lines:#?}"
    );
}

#[tokio::test]
async fn an_absent_server_costs_one_wait_and_then_nothing() {
    let endpoint = crate::tiers::redis::parse("redis://127.0.0.1:1").unwrap();
    let tier = RedisTier::new("shop", endpoint, limits(1024));
    assert!(matches!(tier.state(), LinkState::Connecting));
    let refused = tier.get("a", SOON).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Unavailable);
    let start = Instant::now();
    for _ in 0..1000 {
        assert!(tier.get("a", SOON).await.is_err());
    }
    assert!(
        start.elapsed() < Duration::from_millis(200),
        "{:?}",
        start.elapsed()
    );
    assert!(!tier.connected_within(Duration::from_millis(20)).await);
    assert!(matches!(tier.state(), LinkState::Down { .. }));
}

#[tokio::test]
async fn dropped_leaders_leases_are_given_back() {
    let server = Server::start();
    let tier = tier(&server);
    let tokens: Vec<_> = (0..200)
        .map(|n| (format!("k{n}"), Token::random()))
        .collect();
    for (key, token) in &tokens {
        tier.acquire(key, load(*token), SOON).await.unwrap();
    }
    for (key, token) in &tokens {
        tier.release_later(key, *token);
    }
    eventually("leases are gone", || server.ask(&["DBSIZE"]) == ":0\r\n").await;
}

#[tokio::test]
async fn closing_sends_what_is_queued_and_counts_the_rest() {
    let server = Server::start();
    let open = tier(&server);
    let token = Token::random();
    open.acquire("a", load(token), SOON).await.unwrap();
    open.release_later("a", token);
    assert_eq!(open.close(SOON).await, 0);
    assert_eq!(server.ask(&["DBSIZE"]), ":0\r\n");
    assert_eq!(
        open.get("a", SOON).await.unwrap_err().kind,
        ErrorKind::Unavailable
    );
    assert!(matches!(open.state(), LinkState::Closed));

    let never_used = tier(&server);
    never_used.release_later("a", token);
    assert_eq!(never_used.close(SOON).await, 1);
}

#[tokio::test]
async fn a_dropped_tier_leaves_no_connection() {
    let server = Server::start();
    let tier = tier(&server);
    assert!(tier.connected_within(SOON).await);
    let clients = || server.ask(&["CLIENT", "LIST"]).matches("id=").count();
    assert_eq!(clients(), 2);
    drop(tier);
    eventually("the connection is closed", || clients() == 1).await;
}

#[test]
fn the_link_starts_again_when_its_runtime_is_gone() {
    let server = Server::start();
    let tier = tier(&server);
    for _ in 0..3 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            assert_eq!(tier.get("a", SOON).await.unwrap(), None);
        });
    }
    let outside = poll_once(Box::pin(tier.get("a", SOON)));
    assert_eq!(outside.unwrap_err().kind, ErrorKind::Unavailable);
}

/// Polls once: outside a runtime a call must not wait for anything.
fn poll_once<T>(mut future: crate::tiers::Fut<'_, T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("waits for a runtime that is not there"),
    }
}

#[tokio::test]
async fn the_hook_runs_at_every_connection() {
    let server = Server::start();
    let tier = tier(&server);
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tier.on_reconnect(Arc::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
    }));
    assert!(tier.connected_within(SOON).await);
    eventually("the first", || count.load(Ordering::SeqCst) == 1).await;
    server.ask(&["CLIENT", "KILL", "TYPE", "normal"]);
    assert!(tier.get("a", SOON).await.is_err());
    eventually("the second", || count.load(Ordering::SeqCst) == 2).await;
    assert!(tier.get("a", SOON).await.is_ok());
}

#[tokio::test]
async fn time_is_the_servers() {
    let server = Server::start();
    let tier = tier(&server);
    fill(&tier, "a").await;
    let wall = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    assert!(tier.now().abs_diff(wall.as_millis() as u64) < 100);
}

#[tokio::test]
async fn permits_bound_reads_and_leave_evictions_theirs() {
    let server = Server::start();
    let tier = RedisTier::new(
        "shop",
        crate::tiers::redis::parse(&server.url()).unwrap(),
        limits(2),
    );
    assert!(tier.connected_within(SOON).await);
    server.signal("STOP");
    let within = Duration::from_millis(200);
    let keys = [Eviction {
        key: "a",
        hold: Duration::ZERO,
    }];
    let (first, second, third, evicted) = tokio::join!(
        tier.get("a", within),
        tier.get("b", within),
        tier.get("c", within),
        tier.evict(&keys, within),
    );
    server.signal("CONT");
    let kinds = [first, second, third].map(|it| it.unwrap_err().kind);
    assert_eq!(
        kinds,
        [ErrorKind::Timeout, ErrorKind::Timeout, ErrorKind::Busy]
    );
    assert_eq!(evicted.unwrap_err().kind, ErrorKind::Timeout);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelled_calls_never_shift_replies() {
    let server = Server::start();
    let tier = Arc::new(tier(&server));
    for n in 0..50 {
        server.ask(&["SET", &format!("shop:{{{n}}}"), &format!("value {n}")]);
    }
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let tier = Arc::clone(&tier);
            tokio::spawn(async move {
                for _ in 0..500 {
                    let (one, two) = (fastrand::u32(..50), fastrand::u32(..50));
                    let patience = Duration::from_micros(fastrand::u64(..400));
                    let key = one.to_string();
                    let _ = tokio::time::timeout(patience, tier.get(&key, SOON)).await;
                    let found = tier.get(&two.to_string(), SOON).await.unwrap();
                    assert_eq!(found.unwrap(), format!("value {two}"));
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn databases_and_sockets_are_used() {
    let directory = std::env::temp_dir();
    let path = directory.join(format!("cache-tier-{}.sock", std::process::id()));
    let path = path.to_str().unwrap();
    let mut server = Server::with(&["--unixsocket", path, "--requirepass", "a b&c"]);
    server.sign_in_with("a b&c");
    let by_socket = format!("redis+unix://{path}?db=3&user=default&pass=a%20b%26c");
    let by_port = format!("redis://:a%20b%26c@127.0.0.1:{}/3", server.port());
    let by_socket = RedisTier::new(
        "shop",
        crate::tiers::redis::parse(&by_socket).unwrap(),
        limits(8),
    );
    let by_port = RedisTier::new(
        "shop",
        crate::tiers::redis::parse(&by_port).unwrap(),
        limits(8),
    );
    fill(&by_socket, "a").await;
    assert!(by_port.get("a", SOON).await.unwrap().is_some());
    assert_eq!(server.ask(&["DBSIZE"]), ":0\r\n");
    let _ = std::fs::remove_file(path);
}

#[tokio::test]
async fn connections_are_counted() {
    let server = Server::start();
    let tier = tier(&server);
    assert_eq!(tier.connection(), 0);
    assert!(tier.connected_within(SOON).await);
    let first = tier.connection();
    assert!(first != 0 && tier.get("a", SOON).await.is_ok());
    assert_eq!(tier.connection(), first);
    server.ask(&["CLIENT", "KILL", "TYPE", "normal"]);
    assert!(tier.get("a", SOON).await.is_err());
    eventually("another", || tier.connection() > first).await;
    tier.close(SOON).await;
    assert_eq!(tier.connection(), 0);
}
