//! Who waits for a load in another process, for how long, and what comes of it.

use std::time::Duration;

use cache_runtime::testing::{Leftovers, leftovers};
use cache_runtime::{Cache, Served, cacheable, refresh, traced};
use tests::eventually;
use tests::scenarios::functions::{key, product};
use tests::scenarios::origin::{Down, End, Origin, Source};
use tests::scenarios::processes::{ask, has, keys, process, value_of};
use tests::server::RedisServer;
use tokio::task::JoinSet;

#[cacheable(key = "product:{id}", stampede_protection = "process")]
async fn in_process(source: &Source, id: u64) -> Result<u64, Down> {
    source.load(&key(id)).await
}

#[cacheable(
    key = "product:{id}",
    stampede_protection = "fleet",
    wait_timeout = "200ms"
)]
async fn impatient(source: &Source, id: u64) -> Result<u64, Down> {
    source.load(&key(id)).await
}

#[tokio::test]
async fn process_protection_does_not_wait_for_another_process_and_does_not_store_beside_it() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (one, other, source) = (
        process(&server).await,
        process(&server).await,
        origin.source(),
    );
    origin.hold(1);
    let held = one.as_current(in_process(&source, 7));
    let beside = async {
        origin.begun(&key(7), 1).await;
        origin.commit(&key(7));
        let answer = other.as_current(traced(in_process(&source, 7))).await;
        assert_eq!(answer, (Ok(2), Some(Served::Loaded)));
        assert!(
            !has(&server, &value_of(&key(7))).await,
            "it has no lease to store with"
        );
        origin.release(End::Value);
    };
    assert_eq!(tokio::join!(held, beside).0, Ok(1));
    assert!(has(&server, &value_of(&key(7))).await);
}

#[tokio::test]
async fn waiters_whose_patience_ends_share_one_load_that_is_not_stored() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (one, other, source) = (
        process(&server).await,
        process(&server).await,
        origin.source(),
    );
    origin.hold(2);
    let held = one.as_current(impatient(&source, 7));
    let waiters = async {
        origin.begun(&key(7), 1).await;
        let mut calls = JoinSet::new();
        for _ in 0..50 {
            let source = source.clone();
            calls.spawn(other.as_current(async move { impatient(&source, 7).await }));
        }
        origin.begun(&key(7), 2).await;
        eventually::holds("everybody's wait has ended", async || {
            other.stats().total.wait_timeouts >= 50
        })
        .await;
        assert!(!has(&server, &value_of(&key(7))).await);
        origin.release(End::Value);
        calls.join_all().await
    };
    let (leader, waiters) = tokio::join!(held, waiters);
    assert_eq!(leader, Ok(1));
    assert_eq!(waiters, vec![Ok(1); 50]);
    assert_eq!(origin.loads(&key(7)), 2);
    assert_eq!(leftovers(&other), Leftovers::default());
}

#[tokio::test]
async fn load_longer_than_a_lease_keeps_it() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (one, other, source) = (
        process(&server).await,
        process(&server).await,
        origin.source(),
    );
    origin.delay(Duration::from_millis(4_500));
    let (led, waited) = tokio::join!(ask(&one, &source, 7), async {
        origin.begun(&key(7), 1).await;
        ask(&other, &source, 7).await
    });
    assert_eq!((led, waited), ((1, Served::Loaded), (1, Served::Shared)));
    assert_eq!(origin.loads(&key(7)), 1);
    assert_eq!(keys(&server).await, [value_of(&key(7))]);
}

#[tokio::test]
async fn refresh_in_one_process_is_read_by_the_next() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (one, source) = (process(&server).await, origin.source());
    ask(&one, &source, 7).await;
    origin.commit(&key(7));
    let refreshed = one.as_current(traced(refresh(product(&source, 7)))).await;
    assert_eq!(refreshed, (Ok(2), Some(Served::Loaded)));
    assert_eq!(ask(&one, &source, 7).await, (2, Served::Memory));
    assert_eq!(
        ask(&process(&server).await, &source, 7).await,
        (2, Served::Redis)
    );
}

#[tokio::test]
async fn error_is_stored_nowhere() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (cache, source) = (process(&server).await, origin.source());
    origin.hold(1);
    origin.release(End::Fail);
    assert_eq!(cache.as_current(product(&source, 7)).await, Err(Down));
    eventually::holds("its lease is given back", async || {
        keys(&server).await.is_empty()
    })
    .await;
    assert_eq!(ask(&cache, &source, 7).await, (1, Served::Loaded));
}

#[cacheable(key = "nobody:{id}", negative_ttl = "1m")]
async fn nobody(id: u64) -> Option<u64> {
    (id > 100).then_some(id)
}

#[cacheable(key = "nobody:{id}")]
async fn nobody_uncached(id: u64) -> Option<u64> {
    (id > 100).then_some(id)
}

#[tokio::test]
async fn absence_is_shared_through_redis_where_the_site_says_so() {
    let server = RedisServer::start().await;
    let (one, other) = (process(&server).await, process(&server).await);
    for served in [Served::Loaded, Served::Loaded] {
        assert_eq!(
            one.as_current(traced(nobody_uncached(7))).await,
            (None, Some(served))
        );
    }
    eventually::holds("nothing is stored", async || keys(&server).await.is_empty()).await;
    assert_eq!(
        one.as_current(traced(nobody(7))).await,
        (None, Some(Served::Loaded))
    );
    assert_eq!(
        other.as_current(traced(nobody(7))).await,
        (None, Some(Served::Redis))
    );
    let left = server.cli(&["PTTL", &value_of("nobody:7")]).await.int();
    assert!((1..=60_000).contains(&left), "{left}");
}

/// Each loads what the other is loading.
#[cacheable(
    key = "ring:{at}",
    stampede_protection = "fleet",
    wait_timeout = "300ms"
)]
async fn ring(source: &Source, at: u64, left: u64) -> u64 {
    source.load("ring").await.expect("the origin is up");
    if left == 0 {
        return 0;
    }
    1 + Box::pin(ring(source, 1 - at, left - 1)).await
}

#[tokio::test]
async fn processes_that_wait_for_each_other_go_on_after_their_patience() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (one, other, source) = (
        process(&server).await,
        process(&server).await,
        origin.source(),
    );
    origin.hold(2);
    let start = async |cache: &Cache, at| cache.as_current(ring(&source, at, 1)).await;
    let both = async {
        origin.begun("ring", 2).await;
        origin.release(End::Value);
    };
    let all = async { tokio::join!(start(&one, 0), start(&other, 1), both) };
    let (at_zero, at_one, ()) = tokio::time::timeout(eventually::PATIENCE, all)
        .await
        .expect("nobody is stuck");
    // Who gives up first loads what it waited for by itself; the other may still get its value.
    assert!(
        [(1, 1), (1, 2), (2, 1)].contains(&(at_zero, at_one)),
        "{at_zero} {at_one}"
    );
    for cache in [&one, &other] {
        assert_eq!(leftovers(cache), Leftovers::default());
    }
    eventually::holds("no lease stays", async || {
        keys(&server)
            .await
            .iter()
            .all(|key| !key.ends_with(":lease"))
    })
    .await;
}
