//! Evictions and writes beside loads, cut short, or while Redis is away.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cache_runtime::{ErrorKind, Key, Served, cache_evict};
use tests::eventually;
use tests::proxy::{Mode, Proxy};
use tests::scenarios::functions::{key, product};
use tests::scenarios::origin::{End, Origin, Source};
use tests::scenarios::processes::{ask, commands, connected, has, of_url, process, value_of};
use tests::server::RedisServer;
use tests::times::Times;
use tokio::sync::Notify;

use crate::kit::{half_and_most, in_form, measured, short};

#[tokio::test]
async fn fault_42_eviction_during_a_load() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (one, other) = (process(&server).await, process(&server).await);
    let source = origin.source();
    let rounds = in_form(2_000, 200);
    for id in 0..rounds {
        origin.hold(1);
        let load = tokio::spawn(one.as_current({
            let source = source.clone();
            async move { product(&source, id).await }
        }));
        origin.begun(&key(id), 1).await;
        origin.commit(&key(id));
        let evicting = [&one, &other][id as usize % 2];
        evicting
            .evict(Key::new(&key(id)))
            .await
            .expect("the server is up");
        origin.release(End::Value);
        assert_eq!(load.await.expect("it returns"), Ok(1), "it began before");
        assert!(
            !has(&server, &value_of(&key(id))).await,
            "the store is refused"
        );
        for node in [&other, &one] {
            assert_eq!(ask(node, &source, id).await.0, 2, "nothing old is read");
        }
    }
    let refused = one.stats().total.refused_stores;
    assert_eq!(refused, rounds);
    measured(
        42,
        format_args!("{rounds} evictions during a load: {refused} stores refused, 0 stale"),
    );
}

#[cache_evict(key = "product:{id}")]
async fn cut_short(source: &Source, id: u64, committed: Arc<Notify>) {
    source.commit(&key(id)).await;
    committed.notify_one();
    std::future::pending().await
}

#[tokio::test]
async fn fault_45_write_dropped_after_its_commit() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (one, other) = (process(&server).await, process(&server).await);
    let source = origin.source();
    let (rounds, mut elsewhere) = (in_form(500, 50), Times::default());
    for id in 0..rounds {
        for node in [&one, &other] {
            assert_eq!(ask(node, &source, id).await.0, 1);
        }
        let committed = Arc::new(Notify::new());
        let write = tokio::spawn(one.as_current({
            let (source, committed) = (source.clone(), Arc::clone(&committed));
            async move { cut_short(&source, id, committed).await }
        }));
        committed.notified().await;
        write.abort();
        assert!(write.await.is_err_and(|it| it.is_cancelled()));
        let dropped = Instant::now();
        assert_eq!(ask(&one, &source, id).await.0, 2, "here at once");
        eventually::holds("elsewhere soon", async || {
            ask(&other, &source, id).await.0 == 2
        })
        .await;
        elsewhere.add(dropped.elapsed());
        assert_eq!(ask(&one, &source, id).await.0, 2);
    }
    assert!(elsewhere.median() < Duration::from_secs(1), "{elsewhere}");
    measured(
        45,
        format_args!(
            "{rounds} writes dropped: 0 stale where they were; elsewhere new after {}",
            half_and_most(&elsewhere)
        ),
    );
}

#[tokio::test]
async fn fault_46_eviction_while_redis_is_away() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let proxy = Proxy::start(server.addr()).await;
    let cache = of_url(&server.url_via(&proxy)).redis_budget(Duration::from_secs(5));
    let (cache, source) = (connected(cache).await, origin.source());
    let rounds = in_form(20, 3);
    let mut slowest = Duration::ZERO;
    for id in 0..rounds {
        assert_eq!(ask(&cache, &source, id).await.0, 1);
        assert!(has(&server, &value_of(&key(id))).await);
        proxy.set(Mode::Refuse).await;
        proxy.reset_all();
        eventually::holds("the cache notices", async || !cache.health().is_ok()).await;
        origin.commit(&key(id));
        let error = cache
            .evict(Key::new(&key(id)))
            .await
            .expect_err("Redis is away");
        assert_eq!(error.kind(), ErrorKind::Queued);
        assert!(
            has(&server, &value_of(&key(id))).await,
            "the old value is there"
        );
        let mut monitor = server.monitor().await;
        proxy.set(Mode::Pass).await;
        let back = Instant::now();
        eventually::holds("the eviction is delivered", async || {
            assert_eq!(
                ask(&cache, &source, id).await.0,
                2,
                "the old value is not read"
            );
            cache.health().queued_evictions == 0
        })
        .await;
        slowest = slowest.max(back.elapsed());
        let sent = commands(&mut monitor).await;
        let first = sent
            .iter()
            .find(|it| it.text().contains(&value_of(&key(id))));
        assert_eq!(
            first.map(|it| it.name()).as_deref(),
            Some("EVALSHA"),
            "no GET before it"
        );
        assert_eq!(ask(&process(&server).await, &source, id).await.0, 2);
        eventually::holds("all is well", async || cache.health().is_ok()).await;
    }
    measured(
        46,
        format_args!(
            "{rounds} evictions replayed before the first read, at most {} after Redis was back; 0 stale",
            short(slowest)
        ),
    );
}

#[tokio::test]
async fn fault_47_caller_after_an_eviction_joins_no_older_flight() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (cache, source) = (process(&server).await, origin.source());
    let rounds = in_form(1_000, 100);
    for id in 0..rounds {
        origin.hold(1);
        let load = tokio::spawn(cache.as_current({
            let source = source.clone();
            async move { product(&source, id).await }
        }));
        origin.begun(&key(id), 1).await;
        origin.commit(&key(id));
        cache
            .evict(Key::new(&key(id)))
            .await
            .expect("the server is up");
        // While the other is on its way still.
        assert_eq!(ask(&cache, &source, id).await.0, 2, "a load of its own");
        origin.release(End::Value);
        assert_eq!(load.await.expect("it returns"), Ok(1));
        assert_eq!(ask(&cache, &source, id).await.0, 2);
    }
    measured(
        47,
        format_args!(
            "{rounds} callers beside an older flight: {rounds} loads of their own, 0 stale"
        ),
    );
}

#[cache_evict(key = "product:{id}", hold = "700ms")]
async fn renamed(primary: &Source, id: u64) -> u64 {
    primary.commit(&key(id)).await
}

#[tokio::test]
async fn fault_66_origin_whose_replica_lags() {
    /// How far what is read is behind what was written.
    const LAG: Duration = Duration::from_millis(300);
    let server = RedisServer::start().await;
    let (primary, replica) = (Origin::start().await, Origin::start().await);
    let (one, other) = (process(&server).await, process(&server).await);
    let (writes, reads) = (primary.source(), replica.source());
    let (rounds, mut lagging) = (in_form(20, 4), 0);
    for id in 0..rounds {
        for node in [&one, &other] {
            assert_eq!(ask(node, &reads, id).await.0, 1);
        }
        let new = one.as_current(renamed(&writes, id)).await;
        let written = Instant::now();
        // What is read now is old, and is stored nowhere.
        while written.elapsed() < LAG {
            for node in [&one, &other] {
                lagging += u64::from(ask(node, &reads, id).await.0 < new);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        replica.commit(&key(id));
        eventually::holds("it is stored again", async || {
            let seen = [&one, &other].map(|node| ask(node, &reads, id));
            let [here, there] = seen;
            let (here, there) = tokio::join!(here, there);
            assert_eq!((here.0, there.0), (new, new), "nothing old was kept");
            here.1 != Served::Loaded
        })
        .await;
    }
    assert!(lagging > 0, "the replica lags");
    measured(
        66,
        format_args!(
            "{lagging} loads saw what a replica had not heard of; 0 of them stored in {rounds} rounds"
        ),
    );
}
