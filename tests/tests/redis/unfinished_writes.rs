//! Writes that do not come to their end: what they did is unknown, so their keys are evicted and held for a while.

use cache_runtime::{Evict, Key, Served, cache_evict};
use std::sync::Arc;
use std::time::Duration;
use tests::eventually;
use tests::scenarios::functions::{key, save};
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

#[cache_evict(key = "product:{id}")]
async fn cut(source: &Source, id: u64, committed: &Notify, how: Cut) {
    source.commit(&key(id)).await;
    committed.notify_one();
    match how {
        Cut::Dropped => std::future::pending().await,
        Cut::Panicking => panic!("on purpose"),
    }
}

async fn write_cut_short(how: Cut) {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let cache = process(&server).await;
    let source = origin.source();
    assert_eq!(ask(&cache, &source, 7).await, (1, Served::Loaded));
    let committed = Arc::new(Notify::new());
    let (body, told) = (source.clone(), Arc::clone(&committed));
    let within = cache.clone();
    let write = tokio::spawn(async move { within.as_current(cut(&body, 7, &told, how)).await });
    committed.notified().await;
    if how == Cut::Dropped {
        write.abort();
    }
    let ended = write.await.expect_err("it does not return");
    assert_eq!(ended.is_panic(), how == Cut::Panicking);

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

#[tokio::test]
async fn dropped_write_evicts_and_holds() {
    write_cut_short(Cut::Dropped).await;
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
