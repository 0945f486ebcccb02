//! Redis loses what it knows of a label and keeps the entries: they are dead, and nothing makes them alive again.

use cache_runtime::{Evict, Served};
use tests::eventually;
use tests::scenarios::processes::{has, process};
use tests::scenarios::shop::{Shop, stored_as};
use tests::server::RedisServer;
use tokio::task::{JoinSet, LocalSet};

/// Every label of an item: what Redis keeps it under, and how it is evicted.
fn labels() -> [(&'static str, Evict); 6] {
    [
        ("shop:#tag:{hot}", Evict::tag("hot")),
        ("shop:#tag:{late:0}", Evict::tag("late:0")),
        ("shop:#tag:{#s:user%3A7}", Evict::scope("user:7")),
        ("shop:#tag:{#r:catalog}", Evict::region("catalog")),
        ("shop:#tag:{#r:catalog:item}", Evict::region("catalog:item")),
        ("shop:#sites", Evict::all()),
    ]
}

/// A process that has just come reads nothing from before.
async fn newcomer_reads_since(shop: &Shop, since: u64, id: u64, what: &str) {
    let newcomer = process(&shop.server).await;
    let (value, served) = shop.read(&newcomer, id).await;
    assert!(value >= since, "{what}: {value} from before {since}");
    assert_ne!(served, Served::Memory, "{what}: it has none");
}

#[tokio::test]
async fn entries_of_a_label_that_is_lost_are_dead_and_stay_so() {
    for (lost, evict) in labels() {
        let shop = Shop::open(RedisServer::start().await).await;
        shop.warm(0..3).await;
        let (since, second, third) = (shop.now(), shop.stored(1).await, shop.stored(2).await);
        assert_eq!(shop.server.cli(&["UNLINK", lost]).await.int(), 1, "{lost}");
        newcomer_reads_since(&shop, since, 0, lost).await;
        // That load made the label again; what was stored before has not become its.
        assert!(has(&shop.server, lost).await, "{lost} is there again");
        assert_eq!(shop.stored(1).await, second, "{lost} took no entry along");
        newcomer_reads_since(&shop, since, 1, lost).await;
        assert_eq!(shop.stored(2).await, third, "{lost} took no entry along");
        let since = shop.now();
        shop.one.evict(evict).await.unwrap();
        shop.both_read_since(since, &[0, 1, 2], lost).await;
        newcomer_reads_since(&shop, since, 2, lost).await;
    }
}

#[tokio::test]
async fn a_label_lost_after_its_eviction_brings_nothing_back() {
    for (lost, evict) in labels() {
        let shop = Shop::open(RedisServer::start().await).await;
        shop.warm(0..2).await;
        let since = shop.now();
        shop.one.evict(evict).await.unwrap();
        assert_eq!(shop.server.cli(&["UNLINK", lost]).await.int(), 1, "{lost}");
        newcomer_reads_since(&shop, since, 0, lost).await;
        shop.both_read_since(since, &[0, 1], lost).await;
        newcomer_reads_since(&shop, since, 1, lost).await;
    }
}

const ITEMS: std::ops::Range<u64> = 0..20;

/// A server that drops what was not used for longest when it is full, as soon as it is.
async fn forgetful() -> RedisServer {
    let arguments = [
        "--maxmemory-policy",
        "allkeys-lru",
        "--maxmemory-samples",
        "64",
    ];
    RedisServer::builder().args(&arguments).start().await
}

/// Fills the server until it has dropped this label; the items and the other labels are in use all the while.
async fn press_out(shop: &Shop, lost: &str) {
    let server = &shop.server;
    let mut touch = vec!["TOUCH".to_owned()];
    touch.extend(ITEMS.map(stored_as));
    let others = labels().map(|(label, _)| label);
    touch.extend(
        others
            .into_iter()
            .filter(|it| *it != lost)
            .map(str::to_owned),
    );
    // The server counts idle time in seconds.
    eventually::holds("the label is the oldest", async || {
        server.cli(&touch).await;
        server.cli(&["OBJECT", "IDLETIME", lost]).await.int() >= 3
    })
    .await;
    let used = figure(server, "memory", "used_memory").await;
    let most = (used + (256 << 10)).to_string();
    server.cli(&["CONFIG", "SET", "maxmemory", &most]).await;
    let (filler, mut fillers) = ("x".repeat(4096), 0);
    eventually::holds("the server has dropped the label", async || {
        server.cli(&touch).await;
        fillers += 1;
        let key = format!("filler:{fillers}");
        server.cli(&["SET", &key, &filler]).await;
        !has(server, lost).await
    })
    .await;
    assert!(figure(server, "stats", "evicted_keys").await > 0);
    // What is left stays.
    server.cli(&["CONFIG", "SET", "maxmemory", "0"]).await;
}

async fn figure(server: &RedisServer, section: &str, name: &str) -> i64 {
    let info = server.cli(&["INFO", section]).await.text();
    let figure = info
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    figure
        .and_then(|figure| figure.trim().parse().ok())
        .unwrap_or_else(|| panic!("the server tells no {name}"))
}

/// A label that a full server drops, and not the items below it.
async fn drops(lost: &str, evict: Evict) {
    let shop = Shop::open(forgetful().await).await;
    shop.warm(ITEMS).await;
    let since = shop.now();
    press_out(&shop, lost).await;
    let mut left = Vec::new();
    for id in ITEMS {
        if shop.stored(id).await.is_some() {
            left.push(id);
        }
    }
    assert!(left.len() >= 4, "{lost}: items survive, {left:?}");
    let (before, after) = left.split_at(left.len() / 2);
    for &id in before {
        let stored = shop.stored(id).await;
        assert!(stored.is_some(), "{lost}: item {id} is there");
        newcomer_reads_since(&shop, since, id, lost).await;
    }
    let since = shop.now();
    shop.one.evict(evict).await.expect("the server is up");
    shop.both_read_since(since, &left, lost).await;
    for &id in after {
        newcomer_reads_since(&shop, since, id, lost).await;
    }
}

#[tokio::test]
async fn entries_that_survive_their_label_in_a_full_server_are_dead_and_stay_so() {
    let (local, mut all) = (LocalSet::new(), JoinSet::new());
    for (lost, evict) in labels() {
        all.spawn_local_on(drops(lost, evict), &local);
    }
    local.run_until(all.join_all()).await;
}
