//! The least that an account needs, as `docs/operations.md` says it: with it everything works and nothing is refused, and each command of
//! it is missed when it is not there.

use std::time::Duration;

use cache_runtime::{Cache, ErrorKind, Evict, Key, Policy, RedisHealth, Served, Why, traced};
use tests::eventually;
use tests::scenarios::functions::{key, owned, product, rename, save, shielded, shielded_key};
use tests::scenarios::origin::{End, Origin, Source};
use tests::scenarios::processes::{ask, connected, of_url};
use tests::scenarios::shop;
use tests::server::RedisServer;

const OPERATIONS: &str = include_str!("../../../docs/operations.md");

/// From 7.0 on servers let everybody say it, 6.2 does not.
const SAID_BY_ALL: &str = "+hello";

/// The command of the document, word by word.
fn documented() -> Vec<&'static str> {
    let mut lines = OPERATIONS
        .lines()
        .filter(|line| line.starts_with("ACL SETUSER shop "));
    let line = lines.next().expect("the document has the line");
    assert_eq!(lines.next(), None, "and one of them");
    line.split(' ').collect()
}

/// The command for an account of another name, without one of its words.
pub(crate) fn account_of<'n>(name: &'n str, without: Option<&str>) -> Vec<&'n str> {
    let words = documented()
        .into_iter()
        .filter(|word| Some(*word) != without);
    let words = words.map(|word| match word {
        "shop" => name,
        ">PASSWORD" => ">s3cret",
        word => word,
    });
    words.collect()
}

/// Makes the account; where its caches connect. The database is one that has to be selected.
async fn account(server: &RedisServer, name: &str, without: Option<&str>) -> String {
    let made = server.cli(&account_of(name, without)).await;
    assert_eq!(made.text(), "OK", "{name}");
    format!("redis://{name}:s3cret@{}/2", server.addr())
}

/// What the server has refused to anybody.
async fn refused(server: &RedisServer) -> Vec<String> {
    server.cli(&["ACL", "LOG"]).await.list()
}

async fn heard(cache: &Cache, source: &Source, id: u64, new: u64) {
    eventually::holds("the other has heard of it", async || {
        ask(cache, source, id).await.0 == new
    })
    .await;
}

/// Loads, hits in either tier, waiting, a load longer than a renewal, one that is dropped, writes.
async fn reads_and_writes(one: &Cache, other: &Cache, origin: &Origin) {
    let source = origin.source();
    assert_eq!(ask(one, &source, 1).await, (1, Served::Loaded));
    assert_eq!(ask(one, &source, 1).await, (1, Served::Memory));
    assert_eq!(ask(other, &source, 1).await, (1, Served::Redis));
    assert_eq!(one.get::<u64>(&Key::new(&key(1))).await, Some(1));
    assert!(one.inspect(&Key::new(&key(1))).await.is_some());
    origin.hold(1);
    let start = |id: u64| {
        let source = source.clone();
        tokio::spawn(one.as_current(async move { product(&source, id).await }))
    };
    let long = start(2);
    origin.begun(&key(2), 1).await;
    let waits = tokio::spawn({
        let (other, source) = (other.clone(), source.clone());
        async move { ask(&other, &source, 2).await }
    });
    // A lease is renewed every second.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    origin.release(End::Value);
    assert_eq!(long.await.expect("it returns"), Ok(1));
    assert_eq!(waits.await.expect("it returns").0, 1);
    assert_eq!(origin.loads(&key(2)), 1);
    origin.hold(1);
    let dropped = start(3);
    origin.begun(&key(3), 1).await;
    dropped.abort();
    assert!(dropped.await.is_err());
    origin.release(End::Value);
    assert_eq!(
        ask(other, &source, 3).await.0,
        1,
        "its lease was given back"
    );
    let renamed = one.as_current(rename(&source, 1)).await;
    heard(other, &source, 1, renamed).await;
    let saved = one.as_current(save(&source, 1)).await.expect("it is saved");
    heard(other, &source, 1, saved).await;
    let by_hand = Key::new("by:hand");
    let put = one.put(&by_hand, 7_u64, &Policy::new()).await;
    put.expect("it is stored");
    assert_eq!(other.get(&by_hand).await, Some(7_u64));
}

/// A load that fails, and a stale value served while the origin is left alone.
async fn failures(one: &Cache, other: &Cache, origin: &Origin) {
    let source = origin.source();
    let call = async |cache: &Cache| cache.as_current(traced(shielded(&source, 1))).await;
    assert_eq!(call(one).await, (Ok(1), Some(Served::Loaded)));
    assert_eq!(call(other).await, (Ok(1), Some(Served::Redis)));
    one.expire(Key::new(&shielded_key(1)))
        .await
        .expect("Redis is up");
    origin.hold(1);
    origin.release(End::Fail);
    let failed = call(one).await;
    assert_eq!(failed, (Ok(1), Some(Served::Stale(Why::Failed))));
    let throttled = call(other).await;
    assert_eq!(throttled, (Ok(1), Some(Served::Stale(Why::Throttled))));
    assert_eq!(origin.loads(&shielded_key(1)), 2);
}

/// Every kind of eviction, of a key of a tagged function and of one that has tags from its result.
async fn evictions(one: &Cache, other: &Cache, origin: &Origin) {
    let source = origin.source();
    let loads = std::sync::atomic::AtomicU64::new(1);
    let held = Duration::from_millis(200);
    let kinds = [
        Evict::key(shop::item_key(1)),
        Evict::tag("hot"),
        Evict::tag("late:0"),
        Evict::scope("user:7"),
        Evict::region("catalog"),
        Evict::pattern("catalog:item:*"),
        Evict::pattern("*item:1"),
        Evict::key(shop::item_key(1)).hold(held),
        Evict::tag("hot").hold(held),
        Evict::all(),
    ];
    for what in kinds {
        for expires in [false, true] {
            let told = format!("{what:?}, expires: {expires}");
            eventually::holds("both have it", async || {
                let (here, there) = (shop::read(one, &loads, 1), shop::read(other, &loads, 1));
                let (here, there) = tokio::join!(here, there);
                here.0 == there.0 && there.1 == Served::Memory
            })
            .await;
            let old = shop::read(one, &loads, 1).await.0;
            let done = match expires {
                false => one.evict(what.clone()).await,
                true => one.expire(what.clone()).await,
            };
            done.unwrap_or_else(|error| panic!("{told}: {error}"));
            assert!(shop::read(one, &loads, 1).await.0 > old, "{told}");
            eventually::holds("the other has heard of it", async || {
                shop::read(other, &loads, 1).await.0 > old
            })
            .await;
        }
    }
    let call = one.as_current(owned(&source, 9));
    assert_eq!(call.await, Ok(1));
}

/// What died with a region is freed.
async fn sweep(one: &Cache, server: &RedisServer, origin: &Origin) {
    for id in 20..30 {
        ask(one, &origin.source(), id).await;
    }
    let stored = async || {
        let info = server.cli(&["INFO", "keyspace"]).await.text();
        let keys = info
            .split_once("db2:keys=")
            .and_then(|(_, rest)| rest.split_once(','));
        keys.map_or(0, |(keys, _)| keys.parse().unwrap_or(0_u64))
    };
    let before = stored().await;
    assert!(before > 10, "{before}");
    let evicted = one.evict(Evict::region("product")).await;
    evicted.expect("Redis is up");
    eventually::holds("what is dead is freed", async || {
        stored().await + 10 <= before
    })
    .await;
}

/// A server that hangs, answers again, and has lost its scripts.
async fn trouble(one: &Cache, server: &RedisServer, origin: &Origin) {
    let source = origin.source();
    server.stop();
    eventually::holds("it is known", async || {
        ask(one, &source, fastrand::u64(1_000..)).await;
        matches!(one.health().redis, RedisHealth::Down { .. })
    })
    .await;
    let new = origin.commit(&key(1));
    let evicted = one.evict(Key::new(&key(1))).await;
    assert_eq!(
        evicted.expect_err("Redis is down").kind(),
        ErrorKind::Queued
    );
    server.cont();
    eventually::holds("all is well", async || one.health().is_ok()).await;
    server.cli(&["SCRIPT", "FLUSH"]).await;
    assert_eq!(ask(one, &source, 1).await, (new, Served::Loaded));
    let errors = one.stats().total.redis_errors;
    assert_eq!(ask(one, &source, 31).await.1, Served::Loaded);
    assert_eq!(one.stats().total.redis_errors, errors);
}

#[tokio::test]
async fn documented_account_does_everything_and_is_refused_nothing() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let url = account(&server, "another", None).await;
    // The budget of trouble is the default one.
    let patient = || of_url(&url).redis_budget(Duration::from_secs(5));
    let (one, other) = (connected(patient()).await, connected(patient()).await);
    for cache in [&one, &other] {
        assert!(cache.health().is_ok(), "{}", cache.health());
    }
    reads_and_writes(&one, &other, &origin).await;
    failures(&one, &other, &origin).await;
    evictions(&one, &other, &origin).await;
    sweep(&one, &server, &origin).await;
    let hasty = connected(of_url(&url)).await;
    trouble(&hasty, &server, &origin).await;
    for cache in [&one, &other, &hasty] {
        eventually::holds("all is well", async || cache.health().is_ok()).await;
    }
    for cache in [one, other, hasty] {
        let unfinished = cache.close(Duration::from_secs(5)).await;
        assert!(unfinished.is_nothing(), "{unfinished:?}");
    }
    assert_eq!(refused(&server).await, [""; 0]);
}

#[tokio::test]
async fn each_command_of_the_documented_account_is_missed() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let commands: Vec<_> = documented()
        .into_iter()
        .filter(|it| it.starts_with('+'))
        .collect();
    assert!(commands.len() > 20, "{commands:?}");
    for (id, command) in (0..).zip(commands) {
        let url = account(&server, &format!("without{id}"), Some(command)).await;
        let cache = of_url(&url).redis_budget(Duration::from_secs(5));
        let cache = cache.build().expect("nothing is connected here");
        // Not where the account may not even look whether the server is one.
        let _ = cache.ready(Duration::from_secs(1)).await;
        let health = cache.health();
        let told = format!("{health:?}").to_lowercase();
        let name = command[1..].replace('|', " ");
        let free = command == SAID_BY_ALL && health.is_ok();
        assert!(
            free || (!health.is_ok() && told.contains(&name)),
            "{command}: {health:?}"
        );
        assert_eq!(ask(&cache, &origin.source(), id).await.0, 1, "{command}");
    }
}
