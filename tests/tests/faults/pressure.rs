//! A server that is full: what it refuses, and what it drops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cache_runtime::{Evict, Key, Served, traced};
use tests::eventually;
use tests::scenarios::functions::{key, owned};
use tests::scenarios::origin::{End, Origin};
use tests::scenarios::processes::{ask, builder, connected, has, process, value_of};
use tests::scenarios::shop::{Shop, stored_as};
use tests::server::RedisServer;

use crate::kit::{in_form, measured};

async fn used(server: &RedisServer) -> i64 {
    let info = server.cli(&["INFO", "memory"]).await.text();
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("used_memory:"));
    line.and_then(|figure| figure.trim().parse().ok())
        .expect("the server tells what it uses")
}

async fn limit(server: &RedisServer, bytes: i64) {
    let most = bytes.to_string();
    server.cli(&["CONFIG", "SET", "maxmemory", &most]).await;
}

#[tokio::test]
async fn fault_13_out_of_memory_without_eviction() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let cache = connected(builder(&server).no_memory()).await;
    let source = origin.source();
    assert_eq!(ask(&cache, &source, 7).await, (1, Served::Loaded));
    let tagged = cache.as_current(traced(owned(&source, 8))).await;
    assert_eq!(tagged, (Ok(1), Some(Served::Loaded)));
    server
        .cli(&["DEBUG", "POPULATE", "10000", "filler", "100"])
        .await;
    limit(&server, used(&server).await / 2).await;
    let refused = server.cli(&["SET", "x", "y"]).await.text();
    assert!(refused.starts_with("OOM"), "{refused}");

    let before = cache.stats().total.redis_errors;
    assert_eq!(
        ask(&cache, &source, 7).await,
        (1, Served::Redis),
        "reads go on"
    );
    for id in 100..120 {
        assert_eq!(ask(&cache, &source, id).await, (1, Served::Loaded));
        assert!(
            !has(&server, &value_of(&key(id))).await,
            "nothing is stored"
        );
    }
    let errors = cache.stats().total.redis_errors - before;
    assert!(errors >= 20, "{errors} errors counted");
    for id in [7, 8] {
        origin.commit(&key(id));
    }
    cache
        .evict(Key::new(&key(7)))
        .await
        .expect("an eviction frees");
    cache
        .evict(Evict::tag("about:8"))
        .await
        .expect("of a tag as well");
    let newcomer = connected(builder(&server).no_memory()).await;
    for node in [&cache, &newcomer] {
        assert_eq!(ask(node, &source, 7).await, (2, Served::Loaded));
        let tagged = node.as_current(traced(owned(&source, 8))).await;
        assert_eq!(tagged, (Ok(2), Some(Served::Loaded)));
    }
    limit(&server, 0).await;
    eventually::holds("what is loaded is stored again", async || {
        ask(&cache, &source, 7).await == (2, Served::Redis)
    })
    .await;
    measured(
        13,
        format_args!(
            "reads from Redis; 20 stores failed, {errors} errors counted; key and tag evicted"
        ),
    );
}

#[tokio::test]
async fn fault_14_lease_pushed_out() {
    let policy = ["--maxmemory-policy", "allkeys-random"];
    let rounds = in_form(30, 5);
    let (mut refused, mut loads) = (0, 0);
    for _ in 0..rounds {
        let server = RedisServer::builder().args(&policy).start().await;
        let origin = Origin::start().await;
        let (one, other) = (process(&server).await, process(&server).await);
        let source = origin.source();
        origin.hold(1);
        let held = tokio::spawn(one.as_current({
            let source = source.clone();
            async move { tests::scenarios::functions::product(&source, 7).await }
        }));
        origin.begun(&key(7), 1).await;
        let lease = format!("{}:lease", value_of(&key(7)));
        let most = used(&server).await + (256 << 10);
        limit(&server, most).await;
        let (filler, mut fillers) = ("x".repeat(4_096), 0);
        eventually::holds("the server has dropped the lease", async || {
            for _ in 0..50 {
                fillers += 1;
                let key = format!("filler:{fillers}");
                server.cli(&["SET", &key, &filler]).await;
            }
            !has(&server, &lease).await
        })
        .await;
        limit(&server, 0).await;
        // What is loaded from here on is newer than what the first has on its way.
        origin.commit(&key(7));
        other
            .evict(Key::new(&key(7)))
            .await
            .expect("the server is up");
        assert_eq!(
            ask(&other, &source, 7).await,
            (2, Served::Loaded),
            "an extra load"
        );
        origin.release(End::Value);
        assert_eq!(held.await.expect("it returns"), Ok(1), "it began before");
        for node in [&one, &other, &process(&server).await] {
            assert_eq!(ask(node, &source, 7).await.0, 2, "nothing old is stored");
        }
        refused += one.stats().total.refused_stores;
        loads += origin.loads(&key(7));
    }
    assert_eq!(refused, rounds, "each store without its lease is refused");
    measured(
        14,
        format_args!(
            "{rounds} leases pushed out: {refused} stores refused, {loads} loads, 0 stale"
        ),
    );
}

#[tokio::test]
async fn fault_15_tag_key_removed() {
    let shop = Shop::open(RedisServer::start().await).await;
    let ids: Vec<u64> = (0..in_form(200, 50)).collect();
    shop.warm(ids.iter().copied()).await;
    let since = shop.now();
    let removed = shop.server.cli(&["UNLINK", "shop:#tag:{hot}"]).await;
    assert_eq!(removed.int(), 1, "the tag had a key");
    let newcomer = process(&shop.server).await;
    let mut misses = 0;
    for &id in &ids {
        assert!(
            has(&shop.server, &stored_as(id)).await,
            "the entry is there"
        );
        let (value, served) = shop.read(&newcomer, id).await;
        assert!(value >= since && served == Served::Loaded, "{id} is alive");
        misses += 1;
    }
    let since = shop.now();
    shop.one
        .evict(Evict::tag("hot"))
        .await
        .expect("the server is up");
    shop.both_read_since(since, &ids, "removed").await;
    measured(
        15,
        format_args!("{misses} of {} entries missed, 0 came back", ids.len()),
    );
}

#[tokio::test]
async fn fault_16_leases_dropped_first() {
    const NODES: usize = 3;
    let policy = [
        "--maxmemory-policy",
        "volatile-ttl",
        "--maxmemory-samples",
        "64",
    ];
    let server = RedisServer::builder().args(&policy).start().await;
    let origin = Origin::start().await;
    let mut nodes = Vec::new();
    for _ in 0..NODES {
        nodes.push(process(&server).await);
    }
    origin.delay(Duration::from_millis(100));
    let server = Arc::new(server);
    limit(&server, used(&server).await + (512 << 10)).await;
    let stop = Arc::new(AtomicBool::new(false));
    let (filled, told) = (Arc::clone(&server), Arc::clone(&stop));
    let filler = tokio::spawn(async move {
        let (filler, mut fillers) = ("x".repeat(4_096), 0_u64);
        while !told.load(Ordering::SeqCst) {
            fillers += 1;
            let key = format!("filler:{fillers}");
            filled.cli(&["SET", &key, &filler, "EX", "3600"]).await;
        }
    });
    eventually::holds("the server drops keys", async || {
        let info = server.cli(&["INFO", "stats"]).await.text();
        !info.contains("evicted_keys:0\r")
    })
    .await;
    let (keys, mut most, mut duplicates) = (in_form(60, 30), 0, 0);
    for id in 0..keys {
        let source = origin.source();
        let calls = nodes.iter().map(|node| ask(node, &source, id));
        let calls: Vec<_> = calls.map(Box::pin).collect();
        let (a, b, c) = {
            let mut calls = calls.into_iter();
            let mut next = || calls.next().expect("there are three");
            let (a, b, c) = (next(), next(), next());
            tokio::join!(a, b, c)
        };
        assert_eq!([a.0, b.0, c.0], [1; NODES]);
        let loads = origin.loads(&key(id));
        assert!(loads <= NODES as u64, "{loads} loads");
        most = most.max(loads);
        duplicates += loads - 1;
    }
    stop.store(true, Ordering::SeqCst);
    filler.await.expect("it stops");
    let refused: u64 = nodes
        .iter()
        .map(|node| node.stats().total.refused_stores)
        .sum();
    measured(
        16,
        format_args!(
            "{keys} keys in {NODES} processes: {duplicates} duplicate loads, at most {most} for a key; {refused} stores refused"
        ),
    );
}
