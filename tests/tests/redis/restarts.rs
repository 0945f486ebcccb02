//! A server that comes back with less than it had: with nothing, or with an old snapshot.
//!
//! What a server has confirmed and then forgotten nobody can promise: an eviction after the snapshot is lost with the server's memory, and
//! what the snapshot holds is served until its ttl. Everything else holds: no process believes its memory from before, what the server
//! has not confirmed is replayed before it is read, and an eviction that comes later reaches everything.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cache_runtime::{Cache, ErrorKind, Evict, Served, cacheable, traced};
use tests::eventually;
use tests::scenarios::functions::{key, product, rename};
use tests::scenarios::origin::{End, Origin};
use tests::scenarios::processes::{ask, has, process, value_of};
use tests::server::RedisServer;

/// An item, whose value says which load it came from.
#[cacheable(
    key = "item:{id}",
    tags = ["hot"],
    ttl = "1h",
    stampede_protection,
    wait_timeout = "60s"
)]
async fn item(loads: &AtomicU64, id: u64) -> u64 {
    let _ = id;
    loads.fetch_add(1, Ordering::SeqCst)
}

/// A server, two processes with warm memory, and the origin they share.
struct Shop {
    server: RedisServer,
    one: Cache,
    other: Cache,
    loads: Arc<AtomicU64>,
}

const ITEMS: std::ops::Range<u64> = 0..3;

impl Shop {
    async fn open() -> Shop {
        let server = RedisServer::start().await;
        let shop = Shop {
            one: process(&server).await,
            other: process(&server).await,
            loads: Arc::default(),
            server,
        };
        shop.warm().await;
        shop
    }

    async fn read(&self, cache: &Cache, id: u64) -> (u64, Served) {
        let (value, served) = cache.as_current(traced(item(&self.loads, id))).await;
        (value, served.expect("the call was annotated"))
    }

    /// Both processes have all items in memory, from Redis.
    async fn warm(&self) {
        for id in ITEMS {
            eventually::holds("both have the item in memory", async || {
                let here = self.read(&self.one, id).await;
                let there = self.read(&self.other, id).await;
                here == there
                    && here.1 == Served::Memory
                    && has(&self.server, &value_of(&format!("item:{id}"))).await
            })
            .await;
        }
    }

    /// Loads that begin from now on have values from here on.
    fn now(&self) -> u64 {
        self.loads.load(Ordering::SeqCst)
    }

    async fn evict(&self) -> Result<(), cache_runtime::CacheError> {
        self.one.evict(Evict::tag("hot")).await
    }

    /// Nothing from before is read where the eviction was made.
    async fn one_reads_since(&self, since: u64) {
        for id in ITEMS {
            let (value, _) = self.read(&self.one, id).await;
            assert!(value >= since, "{value} is from before {since}");
        }
    }

    /// Nor soon elsewhere, nor ever again, also when memory is in use again.
    async fn all_read_since(&self, since: u64) {
        self.one_reads_since(since).await;
        for id in ITEMS {
            eventually::holds("the other reads what is new", async || {
                self.read(&self.other, id).await.0 >= since
            })
            .await;
        }
        let newcomer = process(&self.server).await;
        for cache in [&self.one, &self.other, &newcomer] {
            for id in ITEMS {
                eventually::holds("memory is in use again", async || {
                    let (value, served) = self.read(cache, id).await;
                    assert!(value >= since, "{value} is from before {since}");
                    served == Served::Memory
                })
                .await;
            }
        }
    }

    /// Both processes use the server again.
    async fn ready(&self) {
        for cache in [&self.one, &self.other] {
            eventually::holds("Redis is used again", async || cache.health().is_ok()).await;
        }
    }
}

#[tokio::test]
async fn an_eviction_before_an_empty_restart_stands() {
    let shop = Shop::open().await;
    let since = shop.now();
    shop.evict().await.unwrap();
    shop.server.restart().await;
    shop.all_read_since(since).await;
}

#[tokio::test]
async fn an_eviction_while_an_empty_server_starts_stands() {
    let shop = Shop::open().await;
    shop.server.kill();
    let since = shop.now();
    let error = shop.evict().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Queued);
    shop.one_reads_since(since).await;
    shop.server.restart().await;
    shop.all_read_since(since).await;
}

#[tokio::test]
async fn an_eviction_after_an_empty_restart_stands() {
    let shop = Shop::open().await;
    shop.server.restart().await;
    let since = shop.now();
    // Queued, if the connection is not there yet.
    let _ = shop.evict().await;
    shop.all_read_since(since).await;
}

#[tokio::test]
async fn after_an_empty_restart_each_key_is_loaded_once_in_the_fleet() {
    let shop = Shop::open().await;
    let since = shop.now();
    shop.server.restart().await;
    eventually::holds("memory from before is not believed", async || {
        let here = shop.read(&shop.one, 0).await.0;
        let there = shop.read(&shop.other, 0).await.0;
        here >= since && there >= since
    })
    .await;
    shop.ready().await;
    let before = shop.now();
    let [here, there] = [&shop.one, &shop.other].map(|cache| shop.read(cache, 1));
    let (here, there) = tokio::join!(here, there);
    assert_eq!((here.0, shop.now()), (there.0, before + 1));
}

#[tokio::test]
async fn after_an_old_snapshot_memory_is_not_believed() {
    let shop = Shop::open().await;
    shop.server.cli(&["SAVE"]).await;
    let since = shop.now();
    shop.evict().await.unwrap();
    shop.all_read_since(since).await;
    shop.warm().await;
    shop.server.restart().await;
    for cache in [&shop.one, &shop.other] {
        eventually::holds("memory from before is not believed", async || {
            shop.read(cache, 0).await.1 != Served::Memory
        })
        .await;
    }
    // The server has lost the eviction; there is one truth again, the server's, and the next eviction reaches all of it.
    shop.ready().await;
    shop.warm().await;
    let since = shop.now();
    shop.evict().await.unwrap();
    shop.all_read_since(since).await;
}

#[tokio::test]
async fn an_eviction_that_waits_is_replayed_on_an_old_snapshot_before_it_is_read() {
    let shop = Shop::open().await;
    shop.server.cli(&["SAVE"]).await;
    shop.server.kill();
    let since = shop.now();
    assert_eq!(shop.evict().await.unwrap_err().kind(), ErrorKind::Queued);
    shop.one_reads_since(since).await;
    shop.server.restart().await;
    assert!(has(&shop.server, &value_of("item:0")).await, "as it was");
    eventually::holds("the eviction is delivered", async || {
        shop.one_reads_since(since).await;
        shop.one.health().queued_evictions == 0
    })
    .await;
    shop.all_read_since(since).await;
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
