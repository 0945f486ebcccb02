//! Two processes with warm memory on one server, and items whose values say which load they came from.

use std::sync::atomic::{AtomicU64, Ordering};

use cache_runtime::{Cache, Key, Served, cacheable, key, traced};

use super::processes::{has, process, value_of};
use crate::eventually;
use crate::resp::Resp;
use crate::server::RedisServer;

/// An item with a label of every kind; its value says which load it came from.
#[cacheable(
    key = "catalog:item:{id}",
    tags = ["hot", "late:{result - result}"],
    scope = "user:7",
    ttl = "1h",
    stampede_protection,
    wait_timeout = "60s"
)]
pub async fn item(loads: &AtomicU64, id: u64) -> u64 {
    let _ = id;
    loads.fetch_add(1, Ordering::SeqCst)
}

/// The key of an item.
pub fn item_key(id: u64) -> Key {
    key!("catalog:item:{id}").in_scope("user:7")
}

/// What Redis keeps an item under.
pub fn stored_as(id: u64) -> String {
    value_of(&format!("catalog:item:{id}:,user%3A7"))
}

/// Calls [`item`] in a process: its value, and how it was served.
///
/// # Panics
/// If the call was not annotated, which it is.
pub async fn read(cache: &Cache, loads: &AtomicU64, id: u64) -> (u64, Served) {
    let (value, served) = cache.as_current(traced(item(loads, id))).await;
    (value, served.expect("the call was annotated"))
}

/// A server, two processes, and the origin they share.
#[derive(Debug)]
pub struct Shop {
    /// The Redis they share.
    pub server: RedisServer,
    /// Where the tests evict.
    pub one: Cache,
    /// Which hears of it.
    pub other: Cache,
    loads: AtomicU64,
}

impl Shop {
    /// Starts both processes.
    pub async fn open(server: RedisServer) -> Shop {
        let (one, other) = (process(&server).await, process(&server).await);
        let loads = AtomicU64::new(0);
        Shop {
            server,
            one,
            other,
            loads,
        }
    }

    /// Calls [`item`] in one of them, or in another.
    pub async fn read(&self, cache: &Cache, id: u64) -> (u64, Served) {
        read(cache, &self.loads, id).await
    }

    /// Both processes have these items in memory, from Redis.
    pub async fn warm(&self, ids: impl IntoIterator<Item = u64>) {
        for id in ids {
            eventually::holds("both have the item in memory", async || {
                let here = self.read(&self.one, id).await;
                let there = self.read(&self.other, id).await;
                here == there && here.1 == Served::Memory && self.stored(id).await.is_some()
            })
            .await;
        }
    }

    /// Which load the stored entry is from, as far as Redis can tell: its token.
    pub async fn stored(&self, id: u64) -> Option<Resp> {
        let key = stored_as(id);
        let token = self.server.cli(&["GETRANGE", &key, "0", "15"]).await;
        has(&self.server, &key).await.then_some(token)
    }

    /// Loads that begin from now on have values from here on.
    pub fn now(&self) -> u64 {
        self.loads.load(Ordering::SeqCst)
    }

    /// Nothing from before an eviction is read where it was made, and at once.
    ///
    /// # Panics
    /// If it is.
    pub async fn one_reads_since(&self, since: u64, ids: &[u64], what: &str) {
        for &id in ids {
            let (value, _) = self.read(&self.one, id).await;
            assert!(value >= since, "{what}: {value} from before {since}");
        }
    }

    /// Nor soon elsewhere, and then never again.
    ///
    /// # Panics
    /// If it is.
    pub async fn both_read_since(&self, since: u64, ids: &[u64], what: &str) {
        self.one_reads_since(since, ids, what).await;
        for &id in ids {
            eventually::holds("the other reads what is new", async || {
                self.read(&self.other, id).await.0 >= since
            })
            .await;
        }
        for cache in [&self.one, &self.other] {
            for &id in ids {
                let (value, _) = self.read(cache, id).await;
                assert!(value >= since, "{what}: {value} is alive again");
            }
        }
    }
}
