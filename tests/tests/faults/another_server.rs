//! One address, and another server behind it: the primary became a replica, or its name means another machine.
//!
//! What a name means is a matter of the machine: its resolver reads files that only its owner may change, for all processes at once. So
//! the names here are the test's own ([`Hosts`]), looked up in the place of the system's at each connection.

use std::time::{Duration, Instant};

use cache_runtime::testing::Hosts;
use cache_runtime::{CacheBuilder, ErrorKind, Key, RedisHealth, Served};
use tests::eventually;
use tests::scenarios::functions::{key, rename};
use tests::scenarios::origin::Origin;
use tests::scenarios::processes::{ask, connected, has, of_url, process, value_of};
use tests::server::RedisServer;

use crate::kit::{ROOM, down_because, measured, short};

const NAME: &str = "primary.test";

fn told(noticed: Duration, reconnected: Duration, delivered: Duration) -> String {
    let [noticed, reconnected, delivered] = [noticed, reconnected, delivered].map(short);
    format!(
        "noticed after {noticed}, reconnected {reconnected} after the name has changed, evictions delivered after {delivered}"
    )
}

fn named(hosts: &Hosts) -> CacheBuilder {
    of_url(&format!("redis://{NAME}")).hosts(hosts.clone())
}

/// Two servers, the second with all that the first has, and a name that means the first.
async fn pair() -> (RedisServer, RedisServer, Hosts) {
    let first = RedisServer::start().await;
    let (host, port) = (
        first.addr().ip().to_string(),
        first.addr().port().to_string(),
    );
    let second = RedisServer::builder().args(&["--replicaof", &host, &port]);
    let (second, hosts) = (second.start().await, Hosts::new());
    eventually::holds("it is a replica", async || {
        let told = second.cli(&["INFO", "replication"]).await.text();
        told.contains("master_link_status:up")
    })
    .await;
    hosts.set(NAME, first.addr());
    (first, second, hosts)
}

async fn change_places(first: &RedisServer, second: &RedisServer) {
    second.cli(&["REPLICAOF", "NO", "ONE"]).await;
    let addr = second.addr();
    let (host, port) = (addr.ip().to_string(), addr.port().to_string());
    first.cli(&["REPLICAOF", &host, &port]).await;
}

#[tokio::test]
async fn fault_17_readonly_replica_is_left_for_the_new_primary_and_evictions_are_kept() {
    let ((first, second, hosts), origin) = (pair().await, Origin::start().await);
    let (cache, source) = (connected(named(&hosts)).await, origin.source());
    assert_eq!(ask(&cache, &source, 7).await, (1, Served::Loaded));
    eventually::holds("it is replicated", async || {
        has(&second, &value_of(&key(7))).await
    })
    .await;

    change_places(&first, &second).await;
    let changed = Instant::now();
    origin.commit(&key(7));
    let error = cache.evict(Key::new(&key(7))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Queued);
    let noticed = changed.elapsed();
    assert_eq!(
        ask(&cache, &source, 7).await.0,
        2,
        "the old value is not served"
    );
    assert_eq!(cache.health().queued_evictions, 1);
    down_because(&cache, "READONLY").await;
    // Nobody else may be asked while the name means the replica.
    assert_eq!(cache.as_current(rename(&source, 8)).await, 2);
    assert_eq!(cache.health().queued_evictions, 2);
    assert!(
        has(&second, &value_of(&key(7))).await,
        "it is not delivered"
    );

    hosts.set(NAME, second.addr());
    let moved = Instant::now();
    eventually::holds("it is connected", async || {
        matches!(cache.health().redis, RedisHealth::Connected { .. })
    })
    .await;
    let reconnected = moved.elapsed();
    eventually::holds("the evictions are delivered", async || {
        assert!(
            ask(&cache, &source, 7).await.0 == 2,
            "the old value is not served"
        );
        cache.health().queued_evictions == 0
    })
    .await;
    measured(17, told(noticed, reconnected, moved.elapsed()));
    assert!(
        reconnected < Duration::from_secs(2) + ROOM,
        "{reconnected:?}"
    );
    assert_eq!(ask(&process(&second).await, &source, 7).await.0, 2);
}

#[tokio::test]
async fn fault_17_readonly_replica_is_noticed_by_a_process_that_does_nothing() {
    for with_memory in [true, false] {
        let (first, second, hosts) = pair().await;
        let builder = named(&hosts);
        let builder = if with_memory {
            builder
        } else {
            builder.no_memory()
        };
        let cache = connected(builder).await;
        change_places(&first, &second).await;
        let changed = Instant::now();
        down_because(&cache, "READONLY").await;
        let noticed = short(changed.elapsed());
        measured(
            17,
            format_args!("noticed by an idle process after {noticed}"),
        );
        assert!(
            changed.elapsed() < Duration::from_secs(5),
            "{:?}",
            changed.elapsed()
        );
    }
}

#[tokio::test]
async fn fault_17_replica_that_takes_writes_is_no_primary() {
    let (first, second, hosts) = pair().await;
    let cache = connected(named(&hosts)).await;
    for server in [&first, &second] {
        server
            .cli(&["CONFIG", "SET", "replica-read-only", "no"])
            .await;
    }
    change_places(&first, &second).await;
    assert_eq!(first.cli(&["SET", "x", "y"]).await.text(), "OK");
    let changed = Instant::now();
    down_because(&cache, "READONLY").await;
    let noticed = changed.elapsed();
    assert!(noticed < Duration::from_secs(2) + ROOM, "{noticed:?}");
    // Nor is one that is a replica from the start.
    let newcomer = named(&hosts).build().expect("nothing is connected here");
    let newcomer = newcomer.ready(Duration::from_secs(2)).await;
    let told = newcomer.expect_err("it is a replica").to_string();
    assert!(told.contains("replica"), "{told}");
    hosts.set(NAME, second.addr());
    let moved = Instant::now();
    cache.ready(eventually::PATIENCE).await.unwrap();
    let moved = moved.elapsed();
    assert!(moved < Duration::from_secs(2) + ROOM, "{moved:?}");
    measured(
        17,
        format_args!(
            "one that takes writes all the same: left after {}, reconnected after {}",
            short(noticed),
            short(moved)
        ),
    );
}

#[tokio::test]
async fn fault_67_name_that_means_another_server_is_resolved_anew_at_each_attempt() {
    let (first, second) = (RedisServer::start().await, RedisServer::start().await);
    let (hosts, origin) = (Hosts::new(), Origin::start().await);
    let source = origin.source();
    // A name that means nothing yet.
    let cache = named(&hosts).build().unwrap();
    assert_eq!(ask(&cache, &source, 1).await, (1, Served::Loaded));
    hosts.set(NAME, first.addr());
    cache.ready(eventually::PATIENCE).await.unwrap();
    for (round, (old, new)) in (0..).zip([(&first, &second), (&second, &first)]) {
        let id = 10 + round;
        eventually::holds("it is in memory", async || {
            ask(&cache, &source, id).await.1 == Served::Memory
        })
        .await;
        old.kill();
        down_because(&cache, "").await;
        hosts.set(NAME, new.addr());
        let moved = Instant::now();
        cache.ready(eventually::PATIENCE).await.unwrap();
        let moved_after = short(moved.elapsed());
        measured(
            67,
            format_args!("connected to the new server, and hears, after {moved_after}"),
        );
        assert!(
            moved.elapsed() < Duration::from_secs(5) + ROOM,
            "{:?}",
            moved.elapsed()
        );
        assert_eq!(
            ask(&cache, &source, id).await,
            (1, Served::Loaded),
            "memory from before is not believed"
        );
        assert!(has(new, &value_of(&key(id))).await);
        old.restart().await;
    }
}
