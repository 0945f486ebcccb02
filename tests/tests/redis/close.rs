//! The end of a cache: leases are given back, what is left is told, and calls go on being answered.

use std::time::Duration;

use cache_runtime::testing::leftovers;
use cache_runtime::{Key, RedisHealth, Served};
use tests::eventually;
use tests::proxy::{Mode, Proxy};
use tests::scenarios::functions::key;
use tests::scenarios::origin::{End, Origin};
use tests::scenarios::processes::{ask, connected, keys, of_url, process};
use tests::server::RedisServer;

#[tokio::test]
async fn close_gives_leases_back_and_calls_go_on() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (cache, other) = (process(&server).await, process(&server).await);
    let source = origin.source();
    origin.hold(1);
    let load = ask(&cache, &source, 7);
    let close = async {
        origin.begun(&key(7), 1).await;
        assert_eq!(keys(&server).await.len(), 1, "a lease");
        let unfinished = cache.close(Duration::from_secs(20)).await;
        assert!(unfinished.is_nothing(), "{unfinished:?}");
        assert_eq!(keys(&server).await, [""; 0], "the lease was given back");
        assert_eq!(
            ask(&other, &source, 7).await.1,
            Served::Loaded,
            "nobody waits for it"
        );
        origin.release(End::Value);
    };
    let (loaded, ()) = tokio::join!(load, close);
    assert_eq!(loaded, (1, Served::Loaded));
    assert_eq!(cache.health().redis, RedisHealth::Closed);
    // It hears of no evictions any more, so nothing is kept.
    assert_eq!(ask(&cache, &source, 8).await, (1, Served::Loaded));
    assert_eq!(ask(&cache, &source, 8).await, (1, Served::Loaded));
    assert_eq!(leftovers(&cache).flights, 0);
}

#[tokio::test]
async fn close_delivers_what_is_queued() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let cache = process(&server).await;
    ask(&cache, &origin.source(), 7).await;
    server.cli(&["ACL", "SETUSER", "default", "-unlink"]).await;
    cache.evict(Key::new(&key(7))).await.unwrap_err();
    server.cli(&["ACL", "SETUSER", "default", "+unlink"]).await;
    let unfinished = cache.close(Duration::from_secs(20)).await;
    assert!(unfinished.is_nothing(), "{unfinished:?}");
    assert_eq!(keys(&server).await, [""; 0]);
}

#[tokio::test]
async fn close_tells_what_it_could_not_finish() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let proxy = Proxy::start(server.addr()).await;
    let cache =
        connected(of_url(&server.url_via(&proxy)).redis_budget(Duration::from_secs(5))).await;
    let source = origin.source();
    origin.hold(1);
    let load = ask(&cache, &source, 7);
    let close = async {
        origin.begun(&key(7), 1).await;
        proxy.set(Mode::Refuse).await;
        proxy.reset_all();
        eventually::holds("the cache notices", async || !cache.health().is_ok()).await;
        cache.evict(Key::new("a")).await.unwrap_err();
        cache.evict(Key::new("b")).await.unwrap_err();
        let closing = cache.close(Duration::from_millis(300));
        let unfinished = tokio::time::timeout(eventually::PATIENCE, closing)
            .await
            .expect("it keeps its deadline");
        assert_eq!(
            (unfinished.evictions, unfinished.leases),
            (2, 1),
            "{unfinished:?}"
        );
        origin.release(End::Value);
    };
    assert_eq!(tokio::join!(load, close).0, (1, Served::Loaded));
}

#[tokio::test]
async fn eviction_after_the_close_is_told_not_to_be_done() {
    let server = RedisServer::start().await;
    let cache = process(&server).await;
    assert!(cache.close(Duration::from_secs(5)).await.is_nothing());
    assert!(
        cache.close(Duration::from_secs(5)).await.is_nothing(),
        "a second time there is nothing to do"
    );
    assert!(cache.evict(Key::new("a")).await.is_err());
}
