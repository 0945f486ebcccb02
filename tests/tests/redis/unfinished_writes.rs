//! Writes that do not come to their end: what they did is unknown, so their keys are evicted and held for a while.

use cache_runtime::{Cache, Evict, Key, Served, cache_evict, traced};
use std::sync::Arc;
use std::time::Duration;
use tests::eventually;
use tests::scenarios::functions::{key, owned, save};
use tests::scenarios::origin::{Origin, Source};
use tests::scenarios::processes::{ask, has, process, value_of};
use tests::server::RedisServer;
use tokio::sync::Notify;

/// How a write ends without returning.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cut {
    Dropped,
    Panicking,
}

/// What it evicts.
#[derive(Clone, Copy, Debug)]
enum By {
    Key,
    Tag,
    Scope,
}

#[cache_evict(key = "product:{id}")]
async fn by_key(source: &Source, id: u64, committed: &Notify, how: Cut) {
    cut(source, id, committed, how).await;
}

#[cache_evict(tags = ["about:{id}"])]
async fn by_tag(source: &Source, id: u64, committed: &Notify, how: Cut) {
    cut(source, id, committed, how).await;
}

#[cache_evict(scope = "owner:{id}")]
async fn by_scope(source: &Source, id: u64, committed: &Notify, how: Cut) {
    cut(source, id, committed, how).await;
}

async fn cut(source: &Source, id: u64, committed: &Notify, how: Cut) {
    source.commit(&key(id)).await;
    committed.notify_one();
    match how {
        Cut::Dropped => std::future::pending().await,
        Cut::Panicking => panic!("on purpose"),
    }
}

/// Writes product 7, and returns when the write has ended without returning.
async fn write(cache: &Cache, source: &Source, by: By, how: Cut) {
    let committed = Arc::new(Notify::new());
    let (body, told) = (source.clone(), Arc::clone(&committed));
    let write = tokio::spawn(cache.as_current(async move {
        match by {
            By::Key => by_key(&body, 7, &told, how).await,
            By::Tag => by_tag(&body, 7, &told, how).await,
            By::Scope => by_scope(&body, 7, &told, how).await,
        }
    }));
    committed.notified().await;
    if how == Cut::Dropped {
        write.abort();
    }
    let ended = write.await.expect_err("it does not return");
    assert_eq!(ended.is_panic(), how == Cut::Panicking);
}

async fn write_cut_short(how: Cut) {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let cache = process(&server).await;
    let source = origin.source();
    assert_eq!(ask(&cache, &source, 7).await, (1, Served::Loaded));
    write(&cache, &source, By::Key, how).await;

    let hold = format!("{}:hold", value_of(&key(7)));
    eventually::holds("the key is held", async || has(&server, &hold).await).await;
    assert!(!has(&server, &value_of(&key(7))).await, "the entry is gone");
    let left = server.cli(&["PTTL", &hold]).await.int();
    assert!((1..=2_000).contains(&left), "two seconds at most: {left}");
    let other = process(&server).await;
    for process in [&cache, &other] {
        assert_eq!(
            ask(process, &source, 7).await,
            (2, Served::Loaded),
            "{how:?}"
        );
    }
    if has(&server, &hold).await {
        assert!(
            !has(&server, &value_of(&key(7))).await,
            "nothing is stored while it is held"
        );
        assert!(cache.stats().total.refused_stores >= 1);
    }
    eventually::holds("it is stored again after the hold", async || {
        ask(&cache, &source, 7).await.1 != Served::Loaded
    })
    .await;
    assert!(!has(&server, &hold).await);
}

/// What is stored under a label stays where it is and is dead, so the label tells that it is held, and the readers that nothing is stored.
async fn write_by_label_cut_short(by: By, label: &str, how: Cut) {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (one, other) = (process(&server).await, process(&server).await);
    let source = origin.source();
    let read = async |cache: &Cache| cache.as_current(traced(owned(&source, 7))).await;
    for cache in [&one, &other] {
        eventually::holds("it is in memory", async || {
            read(cache).await == (Ok(1), Some(Served::Memory))
        })
        .await;
    }
    write(&one, &source, by, how).await;
    assert_eq!(read(&one).await.0, Ok(2), "{by:?} {how:?}");
    let held = async || server.cli(&["GET", label]).await.text() == "h";
    eventually::holds("the label is held", held).await;
    eventually::holds("the other reads what is new", async || {
        read(&other).await.0 == Ok(2)
    })
    .await;
    let (value, served) = read(&process(&server).await).await;
    assert_eq!(value, Ok(2), "{by:?} {how:?}");
    assert!(
        served == Some(Served::Loaded) || !held().await,
        "nothing is stored while it is held: {by:?} {how:?}"
    );
    eventually::holds("it is stored again after the hold", async || {
        read(&one).await.1 != Some(Served::Loaded)
    })
    .await;
    assert!(!held().await);
}

#[tokio::test]
async fn dropped_write_evicts_and_holds() {
    write_cut_short(Cut::Dropped).await;
}

#[tokio::test]
async fn write_by_label_that_does_not_return_evicts_and_holds() {
    for how in [Cut::Dropped, Cut::Panicking] {
        write_by_label_cut_short(By::Tag, "shop:#tag:{about:7}", how).await;
        write_by_label_cut_short(By::Scope, "shop:#tag:{#s:owner%3A7}", how).await;
    }
}

#[tokio::test]
async fn panicking_write_evicts_and_holds() {
    write_cut_short(Cut::Panicking).await;
}

#[tokio::test]
async fn held_key_is_cached_by_nobody_in_the_fleet() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (one, other, source) = (
        process(&server).await,
        process(&server).await,
        origin.source(),
    );
    let hold = Evict::key(Key::new(&key(7))).hold(Duration::from_secs(60));
    one.evict(hold).await.unwrap();
    // Neither a shorter hold nor another eviction ends it.
    let shorter = Evict::key(Key::new(&key(7))).hold(Duration::from_millis(1));
    other.evict(shorter.and(Evict::pattern("*"))).await.unwrap();
    for process in [&one, &other, &one, &other] {
        assert_eq!(ask(process, &source, 7).await, (1, Served::Loaded));
    }
    assert_eq!(other.stats().total.refused_stores, 2);
    assert_eq!(other.as_current(save(&source, 7)).await, Ok(2));
    assert_eq!(
        ask(&other, &source, 7).await,
        (2, Served::Loaded),
        "a put is not stored either"
    );
    let held = one.inspect(&Key::new(&key(7))).await.unwrap().held.unwrap();
    assert!(held > Duration::from_secs(5), "{held:?}");
    assert!(!has(&server, &value_of(&key(7))).await);
}
