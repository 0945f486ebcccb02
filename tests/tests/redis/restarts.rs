//! A server that comes back with less than it had: with nothing, or with an old snapshot.
//!
//! What a server has confirmed and then forgotten nobody can promise: an eviction after the snapshot is lost with the server's memory, and
//! what the snapshot holds is served until its ttl. Everything else holds: no process believes its memory from before, what the server
//! has not confirmed is replayed before it is read, and an eviction that comes later reaches everything.

use cache_runtime::{CacheError, ErrorKind, Evict, Served};
use tests::eventually;
use tests::scenarios::functions::{key, product, rename};
use tests::scenarios::origin::{End, Origin};
use tests::scenarios::processes::{ask, has, process, value_of};
use tests::scenarios::shop::{Shop, stored_as};
use tests::server::RedisServer;

const ITEMS: [u64; 3] = [0, 1, 2];

/// Both processes have all items in memory, from Redis.
async fn warm() -> Shop {
    let shop = Shop::open(RedisServer::start().await).await;
    shop.warm(ITEMS).await;
    shop
}

async fn evict(shop: &Shop) -> Result<(), CacheError> {
    shop.one.evict(Evict::tag("hot")).await
}

/// Nothing from before is read ever again, also when memory is in use again.
async fn all_read_since(shop: &Shop, since: u64) {
    shop.both_read_since(since, &ITEMS, "restarted").await;
    let newcomer = process(&shop.server).await;
    for cache in [&shop.one, &shop.other, &newcomer] {
        for id in ITEMS {
            eventually::holds("memory is in use again", async || {
                let (value, served) = shop.read(cache, id).await;
                assert!(value >= since, "{value} is from before {since}");
                served == Served::Memory
            })
            .await;
        }
    }
}

/// Both processes use the server again.
async fn ready(shop: &Shop) {
    for cache in [&shop.one, &shop.other] {
        eventually::holds("Redis is used again", async || cache.health().is_ok()).await;
    }
}

#[tokio::test]
async fn an_eviction_before_an_empty_restart_stands() {
    let shop = warm().await;
    let since = shop.now();
    evict(&shop).await.unwrap();
    shop.server.restart().await;
    all_read_since(&shop, since).await;
}

#[tokio::test]
async fn an_eviction_while_an_empty_server_starts_stands() {
    let shop = warm().await;
    shop.server.kill();
    let since = shop.now();
    let error = evict(&shop).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Queued);
    shop.one_reads_since(since, &ITEMS, "not delivered").await;
    shop.server.restart().await;
    all_read_since(&shop, since).await;
}

#[tokio::test]
async fn an_eviction_after_an_empty_restart_stands() {
    let shop = warm().await;
    shop.server.restart().await;
    let since = shop.now();
    // Queued, if the connection is not there yet.
    let _ = evict(&shop).await;
    all_read_since(&shop, since).await;
}

#[tokio::test]
async fn after_an_empty_restart_each_key_is_loaded_once_in_the_fleet() {
    let (shop, origin) = (warm().await, Origin::start().await);
    let (since, source) = (shop.now(), origin.source());
    let both = async || {
        let [here, there] = [&shop.one, &shop.other].map(|cache| ask(cache, &source, 7));
        let (here, there) = tokio::join!(here, there);
        (here.0, there.0, origin.loads(&key(7)))
    };
    assert_eq!(both().await, (1, 1, 1));
    origin.commit(&key(7));
    shop.server.restart().await;
    eventually::holds("memory from before is not believed", async || {
        let here = shop.read(&shop.one, 0).await.0;
        let there = shop.read(&shop.other, 0).await.0;
        here >= since && there >= since
    })
    .await;
    ready(&shop).await;
    assert_eq!(both().await, (2, 2, 2));
}

#[tokio::test]
async fn after_an_old_snapshot_memory_is_not_believed() {
    let shop = warm().await;
    shop.server.cli(&["SAVE"]).await;
    let since = shop.now();
    evict(&shop).await.unwrap();
    all_read_since(&shop, since).await;
    shop.warm(ITEMS).await;
    shop.server.restart().await;
    for cache in [&shop.one, &shop.other] {
        eventually::holds("memory from before is not believed", async || {
            shop.read(cache, 0).await.1 != Served::Memory
        })
        .await;
    }
    // The server has lost the eviction; there is one truth again, the server's, and the next eviction reaches all of it.
    ready(&shop).await;
    shop.warm(ITEMS).await;
    let since = shop.now();
    evict(&shop).await.unwrap();
    all_read_since(&shop, since).await;
}

#[tokio::test]
async fn an_eviction_that_waits_is_replayed_on_an_old_snapshot_before_it_is_read() {
    let shop = warm().await;
    shop.server.cli(&["SAVE"]).await;
    shop.server.kill();
    let since = shop.now();
    assert_eq!(evict(&shop).await.unwrap_err().kind(), ErrorKind::Queued);
    shop.one_reads_since(since, &ITEMS, "not delivered").await;
    shop.server.restart().await;
    assert!(has(&shop.server, &stored_as(0)).await, "as it was");
    eventually::holds("the eviction is delivered", async || {
        shop.one_reads_since(since, &ITEMS, "not delivered").await;
        shop.one.health().queued_evictions == 0
    })
    .await;
    all_read_since(&shop, since).await;
}

#[tokio::test]
async fn a_lease_from_an_old_snapshot_is_of_no_use_to_a_load_from_before() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (one, other, source) = (
        process(&server).await,
        process(&server).await,
        origin.source(),
    );
    origin.hold(1);
    let load = tokio::spawn(one.as_current({
        let source = source.clone();
        async move { product(&source, 7).await }
    }));
    origin.begun(&key(7), 1).await;
    let lease = format!("{}:lease", value_of(&key(7)));
    eventually::holds(
        "the lease is saved for longer than the test takes",
        async || {
            server.cli(&["PEXPIRE", &lease, "600000"]).await;
            server.cli(&["SAVE"]).await;
            // Else its load has renewed it, for seconds, just then.
            server.cli(&["PTTL", &lease]).await.int() > 500_000
        },
    )
    .await;
    let new = other.as_current(rename(&source, 7)).await;
    assert!(!has(&server, &lease).await);
    server.restart().await;
    assert!(has(&server, &lease).await, "the snapshot brings it back");
    eventually::holds("Redis is used again", async || one.health().is_ok()).await;
    origin.release(End::Value);
    assert_eq!(load.await.unwrap(), Ok(1), "its own caller came before");
    server.cli(&["UNLINK", &lease]).await;
    for cache in [&one, &other, &process(&server).await] {
        assert_eq!(ask(cache, &source, 7).await.0, new);
    }
}
