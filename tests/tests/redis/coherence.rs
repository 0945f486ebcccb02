//! Several processes with warm memory: an eviction in one is seen by the others, without anybody asking.

use std::time::{Duration, Instant};

use cache_runtime::{
    BusHealth, Cache, Evict, Key, Memory, Policy, Served, cache_evict, cacheable, key, traced,
};
use tests::eventually;
use tests::scenarios::processes::{builder, commands, connected, has, names, process};
use tests::server::RedisServer;
use tests::times::Times;

/// What a value is: which of the loads of this test it came from.
#[cacheable(key = "catalog:item:{id}", tags = ["item:{id}", "late:{result - result}:{id}"], scope = "user:{id}", ttl = "1h")]
async fn item(loads: &std::sync::atomic::AtomicU64, id: u64) -> u64 {
    let _ = id;
    loads.fetch_add(1, std::sync::atomic::Ordering::SeqCst)
}

#[cacheable(key = "local:{id}", l2 = false, tags = ["item:{id}"], ttl = "1h")]
async fn local(id: u64) -> u64 {
    id
}

#[cache_evict(tags = ["item:{id}"], region = "local")]
async fn change(id: u64) {}

static LOADS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

async fn read(cache: &Cache, id: u64) -> (u64, Served) {
    let (value, served) = cache.as_current(traced(item(&LOADS, id))).await;
    (value, served.expect("the call was annotated"))
}

/// An item's key.
fn key_of(id: u64) -> Key {
    key!("catalog:item:{id}").in_scope(&format!("user:{id}"))
}

type Kind = (&'static str, fn(u64) -> Evict);

/// What reaches an item.
const KINDS: [Kind; 8] = [
    ("key", |id| Evict::key(key_of(id))),
    ("tag", |id| Evict::tag(format!("item:{id}"))),
    ("late tag", |id| Evict::tag(format!("late:0:{id}"))),
    ("scope", |id| Evict::scope(format!("user:{id}"))),
    ("region", |_| Evict::region("catalog:item")),
    ("region pattern", |_| Evict::pattern("catalog:*")),
    ("free pattern", |_| Evict::pattern("cat*:item:*")),
    ("all", |_| Evict::all()),
];

/// Both have it in memory.
async fn warm(one: &Cache, other: &Cache, id: u64) -> u64 {
    read(one, id).await;
    read(other, id).await;
    eventually::some("both have the value in memory", async || {
        let (value, _) = read(one, id).await;
        let (same, served) = read(other, id).await;
        let here = read(one, id).await;
        (served == Served::Memory && here == (same, Served::Memory) && value == same)
            .then_some(value)
    })
    .await
}

/// When it reads something else for the first time.
async fn changes(cache: Cache, id: u64, old: u64) -> Instant {
    while read(&cache, id).await.0 == old {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Instant::now()
}

#[tokio::test]
async fn an_eviction_in_one_process_is_seen_by_the_other_at_once() {
    let server = RedisServer::start().await;
    let (one, other) = (process(&server).await, process(&server).await);
    for (name, evict) in KINDS {
        let mut took = Times::default();
        for id in 0..200 {
            let old = warm(&one, &other, id).await;
            let seen = tokio::spawn(changes(other.clone(), id, old));
            one.evict(evict(id)).await.expect("the server is up");
            let evicted = Instant::now();
            assert_ne!(
                read(&one, id).await.0,
                old,
                "{name}: at once where it was evicted"
            );
            let seen = tokio::time::timeout(eventually::PATIENCE, seen).await;
            let seen = seen.expect("the other reads what is new").unwrap();
            took.add(seen.saturating_duration_since(evicted));
        }
        println!("{name}: seen by the other after {took}");
        assert!(
            took.median() < Duration::from_millis(500),
            "{name}: {took:?}"
        );
    }
}

#[tokio::test]
async fn nobody_asks_for_evictions() {
    let server = RedisServer::start().await;
    let (one, other) = (process(&server).await, process(&server).await);
    let old = warm(&one, &other, 1).await;
    let mut monitor = server.monitor().await;
    let pause = Duration::from_millis(1_200);
    tokio::time::sleep(pause).await;
    assert_eq!(names(&mut monitor).await, [""; 0], "nothing but beats");
    one.evict(Evict::tag("item:1")).await.unwrap();
    tokio::time::sleep(pause).await;
    assert_eq!(names(&mut monitor).await, ["EVALSHA"]);
    assert_ne!(read(&other, 1).await.0, old);
}

#[tokio::test]
async fn evictions_of_all_kinds_together_are_one_round_trip() {
    let server = RedisServer::start().await;
    let (one, other) = (process(&server).await, process(&server).await);
    warm(&one, &other, 1).await;
    let mut monitor = server.monitor().await;
    let kinds = KINDS.iter().filter(|(name, _)| *name != "free pattern");
    let what = kinds.map(|(_, evict)| evict(1)).reduce(Evict::and);
    one.evict(what.unwrap()).await.unwrap();
    let names: Vec<_> = commands(&mut monitor)
        .await
        .iter()
        .map(|it| it.name())
        .collect();
    let scripts = names.iter().take_while(|name| *name == "EVALSHA").count();
    assert_eq!(scripts, 2, "keys, then labels: {names:?}");
    assert_eq!(
        names.get(2).map(String::as_str),
        Some("HGETALL"),
        "{names:?}"
    );
}

#[tokio::test]
async fn after_a_severed_connection_nothing_from_before_is_served() {
    let server = RedisServer::start().await;
    let (one, other) = (process(&server).await, process(&server).await);
    for id in 0..6 {
        let old = warm(&one, &other, id).await;
        server.cli(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
        // `one` may have lost its subscription as well; what it evicts is evicted all the same.
        one.evict(Evict::tag(format!("item:{id}"))).await.unwrap();
        eventually::holds("the other process reads what is new", async || {
            read(&other, id).await.0 != old
        })
        .await;
    }
    eventually::holds("memory is used again", async || {
        read(&other, 99).await;
        read(&other, 99).await.1 == Served::Memory
    })
    .await;
    assert_eq!(other.health().bus, BusHealth::Listening);
}

#[tokio::test]
async fn with_grace_memory_is_served_while_the_bus_is_down_and_not_after() {
    let server = RedisServer::start().await;
    let memory = Memory::new().offline_grace(Duration::from_secs(60));
    let cache = connected(builder(&server).memory(memory)).await;
    eventually::holds("it is in memory", async || {
        read(&cache, 1).await.1 == Served::Memory
    })
    .await;
    let (old, _) = read(&cache, 1).await;
    server.kill();
    eventually::holds("the bus is lost", async || {
        matches!(cache.health().bus, BusHealth::Connecting { .. })
    })
    .await;
    assert_eq!(read(&cache, 1).await, (old, Served::Memory));
    server.restart().await;
    cache.ready(eventually::PATIENCE).await.unwrap();
    assert_ne!(read(&cache, 1).await.1, Served::Memory);
}

#[tokio::test]
async fn a_site_without_redis_hears_of_evictions_elsewhere() {
    let server = RedisServer::start().await;
    let (one, other) = (process(&server).await, process(&server).await);
    let served = async || other.as_current(traced(local(1))).await.1;
    eventually::holds("it is in memory", async || {
        served().await == Some(Served::Memory)
    })
    .await;
    one.as_current(change(1)).await;
    eventually::holds("it is loaded anew", async || {
        served().await == Some(Served::Loaded)
    })
    .await;
}

#[tokio::test]
async fn an_entry_of_a_build_that_knew_fewer_tags_is_a_miss() {
    let server = RedisServer::start().await;
    let (old, new) = (process(&server).await, process(&server).await);
    let key = Key::new("settings:1");
    let load = async |cache: &Cache, policy: Policy, value: u64| {
        cache.get_or_load(&key, &policy, async || value).await
    };
    assert_eq!(load(&old, Policy::new(), 1).await, 1);
    assert_eq!(load(&new, Policy::new().tags(["settings"]), 2).await, 2);
    assert_eq!(
        load(&old, Policy::new().l1(false), 3).await,
        2,
        "more tags do no harm"
    );
    new.evict(Evict::tag("settings")).await.unwrap();
    assert_eq!(load(&new, Policy::new().tags(["settings"]), 4).await, 4);
}

#[tokio::test]
async fn expired_entries_stay_in_redis_and_are_loaded_anew() {
    let server = RedisServer::start().await;
    let (one, other) = (process(&server).await, process(&server).await);
    let old = warm(&one, &other, 1).await;
    let stored = "shop:{catalog:item:1:,user%3A1}";
    for what in [Evict::pattern("c*:item:1"), Evict::key(key_of(1))] {
        one.expire(what).await.unwrap();
        assert!(has(&server, stored).await, "it may still be served stale");
        eventually::holds("the other loads it", async || {
            read(&other, 1).await.0 != old
        })
        .await;
    }
}
