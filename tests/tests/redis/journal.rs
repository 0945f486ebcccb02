//! Evictions and puts that Redis does not hear of at once: queued, and replayed before they could be missed.

use cache_runtime::{Cache, ErrorKind, Evict, Key, Served};
use std::time::Duration;
use tests::eventually;
use tests::proxy::{Mode, Proxy};
use tests::scenarios::functions::{key, rename, save};
use tests::scenarios::origin::{End, Origin};
use tests::scenarios::processes::{
    ask, builder, commands, connected, has, of_url, process, value_of,
};
use tests::server::RedisServer;

/// Redis is cut off from a cache behind this proxy, and keeps what it has.
async fn cut_off(proxy: &Proxy, cache: &Cache) {
    proxy.set(Mode::Refuse).await;
    proxy.reset_all();
    eventually::holds("the cache notices", async || !cache.health().is_ok()).await;
}

async fn behind(server: &RedisServer) -> (Proxy, Cache) {
    let proxy = Proxy::start(server.addr()).await;
    let cache = of_url(&server.url_via(&proxy)).redis_budget(Duration::from_secs(5));
    let cache = connected(cache).await;
    (proxy, cache)
}

#[tokio::test]
async fn eviction_while_redis_is_away_is_replayed_before_the_key_is_read() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (proxy, cache) = behind(&server).await;
    let source = origin.source();
    assert_eq!(ask(&cache, &source, 7).await, (1, Served::Loaded));
    cut_off(&proxy, &cache).await;
    origin.commit(&key(7));
    let error = cache.evict(Key::new(&key(7))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Queued);
    assert!(error.is_transient());
    assert_eq!(cache.health().queued_evictions, 1);
    assert!(
        has(&server, &value_of(&key(7))).await,
        "Redis still has the old value"
    );
    assert_eq!(ask(&cache, &source, 7).await.0, 2);

    let mut monitor = server.monitor().await;
    proxy.set(Mode::Pass).await;
    eventually::holds("the eviction is delivered", async || {
        cache.evict(Key::new("something:else")).await.ok();
        assert_eq!(
            ask(&cache, &source, 7).await.0,
            2,
            "the old value is never served"
        );
        cache.health().queued_evictions == 0
    })
    .await;
    assert_eq!(ask(&process(&server).await, &source, 7).await.0, 2);
    let concerning = commands(&mut monitor).await;
    let concerning: Vec<_> = concerning
        .iter()
        .filter(|c| c.text().contains(&value_of(&key(7))))
        .collect();
    assert_eq!(concerning[0].name(), "EVALSHA", "{concerning:?}");
    let text = concerning[0].text();
    assert!(
        text.contains(":hold") && !text.contains("GET"),
        "the first command is the eviction: {text}"
    );
}

#[tokio::test]
async fn annotated_eviction_while_redis_is_away_returns_and_is_replayed() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (proxy, cache) = behind(&server).await;
    let (other, source) = (
        connected(builder(&server).no_memory()).await,
        origin.source(),
    );
    ask(&cache, &source, 7).await;
    cut_off(&proxy, &cache).await;
    assert_eq!(cache.as_current(rename(&source, 7)).await, 2);
    assert_eq!(ask(&cache, &source, 7).await.0, 2);
    proxy.set(Mode::Pass).await;
    // Nobody calls this process: it replays by itself.
    eventually::holds("the other process sees the new value", async || {
        ask(&other, &source, 7).await.0 == 2
    })
    .await;
    eventually::holds("nothing is queued", async || {
        cache.health().queued_evictions == 0
    })
    .await;
}

/// A Redis that refuses evictions and nothing else, so that one stays queued for as long as the test wants.
#[tokio::test]
async fn queued_eviction_blocks_its_key_and_no_other() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let cache = connected(builder(&server).no_memory()).await;
    let source = origin.source();
    for id in [7, 8] {
        assert_eq!(ask(&cache, &source, id).await.1, Served::Loaded);
    }
    server.cli(&["ACL", "SETUSER", "default", "-unlink"]).await;
    origin.commit(&key(7));
    assert_eq!(
        cache.evict(Key::new(&key(7))).await.unwrap_err().kind(),
        ErrorKind::Queued
    );
    for _ in 0..5 {
        assert_eq!(
            ask(&cache, &source, 7).await,
            (2, Served::Loaded),
            "Redis is not asked for it"
        );
        assert_eq!(
            ask(&cache, &source, 8).await,
            (1, Served::Redis),
            "another key goes on"
        );
    }
    server.cli(&["ACL", "SETUSER", "default", "+unlink"]).await;
    eventually::holds("its key is cached again", async || {
        let (value, served) = ask(&cache, &source, 7).await;
        assert_eq!(value, 2);
        served == Served::Redis
    })
    .await;
    assert_eq!(cache.health().queued_evictions, 0);
}

#[tokio::test]
async fn queued_patterns_and_all_are_replayed_too() {
    for what in [Evict::pattern("product:*"), Evict::all()] {
        let (server, origin) = (RedisServer::start().await, Origin::start().await);
        let (proxy, cache) = behind(&server).await;
        let source = origin.source();
        ask(&cache, &source, 7).await;
        cut_off(&proxy, &cache).await;
        origin.commit(&key(7));
        assert_eq!(
            cache.evict(what).await.unwrap_err().kind(),
            ErrorKind::Queued
        );
        assert_eq!(ask(&cache, &source, 7).await.0, 2);
        proxy.set(Mode::Pass).await;
        eventually::holds("it is gone from Redis", async || {
            assert_eq!(ask(&cache, &source, 7).await.0, 2);
            ask(&process(&server).await, &source, 7).await.0 == 2
        })
        .await;
    }
}

#[tokio::test]
async fn stopped_redis_delays_an_eviction_by_its_deadline_and_queues_it() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let cache = connected(builder(&server).evict_deadline(Duration::from_millis(50))).await;
    let source = origin.source();
    ask(&cache, &source, 7).await;
    server.stop();
    origin.commit(&key(7));
    let evict = tokio::time::timeout(Duration::from_secs(10), cache.evict(Key::new(&key(7)))).await;
    assert_eq!(
        evict.expect("it returns soon").unwrap_err().kind(),
        ErrorKind::Queued
    );
    server.cont();
    eventually::holds("it is delivered", async || {
        cache.health().queued_evictions == 0
    })
    .await;
    assert_eq!(ask(&cache, &source, 7).await.0, 2);
}

#[tokio::test]
async fn put_while_redis_is_away_evicts_when_it_is_back() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (proxy, cache) = behind(&server).await;
    let source = origin.source();
    ask(&cache, &source, 7).await;
    cut_off(&proxy, &cache).await;
    assert_eq!(cache.as_current(save(&source, 7)).await, Ok(2));
    assert_eq!(cache.health().queued_evictions, 1);
    assert_eq!(ask(&cache, &source, 7).await.0, 2);
    assert_eq!(
        cache
            .put(&Key::new("other"), 5_u64, &Default::default())
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::Queued
    );
    proxy.set(Mode::Pass).await;
    eventually::holds("the old value is gone from Redis", async || {
        !has(&server, &value_of(&key(7))).await
            || ask(&process(&server).await, &source, 7).await.0 == 2
    })
    .await;
    assert_eq!(ask(&cache, &source, 7).await.0, 2);
}

#[tokio::test]
async fn redis_that_goes_during_a_put_gets_the_eviction_later() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (proxy, cache) = behind(&server).await;
    let source = origin.source();
    ask(&cache, &source, 7).await;
    origin.hold(1);
    let put = cache.as_current(save(&source, 7));
    let cut = async {
        origin.begun("save:7", 1).await;
        cut_off(&proxy, &cache).await;
        origin.release(End::Value);
    };
    assert_eq!(tokio::join!(put, cut).0, Ok(2));
    assert_eq!(ask(&cache, &source, 7).await.0, 2);
    proxy.set(Mode::Pass).await;
    eventually::holds("nothing is queued", async || {
        cache.health().queued_evictions == 0
    })
    .await;
    assert_eq!(ask(&process(&server).await, &source, 7).await.0, 2);
}

#[tokio::test]
async fn pattern_that_redis_refuses_does_not_bar_the_keys_behind_it() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let cache = process(&server).await;
    let source = origin.source();
    ask(&cache, &source, 7).await;
    // Neither scanning for it nor replacing the generation of a region around it is possible.
    server
        .cli(&["ACL", "SETUSER", "default", "-scan", "-hdel", "-unlink"])
        .await;
    origin.commit(&key(7));
    for what in [Evict::pattern("l?st:*"), Evict::key(Key::new(&key(7)))] {
        assert_eq!(
            cache.evict(what).await.unwrap_err().kind(),
            ErrorKind::Queued
        );
    }
    server.cli(&["ACL", "SETUSER", "default", "+unlink"]).await;
    // Nobody calls this process: it replays by itself.
    eventually::holds("the key's eviction is delivered", async || {
        cache.health().queued_evictions == 1
    })
    .await;
    assert!(!has(&server, &value_of(&key(7))).await);
    server.cli(&["ACL", "SETUSER", "default", "+scan"]).await;
    eventually::holds("the pattern is delivered as well", async || {
        cache.health().queued_evictions == 0
    })
    .await;
}
