//! The floor of Redis: a `MultiplexedConnection`, `GET`, serde_json, and on a miss `SET … EX`, written by hand. What Redis does not answer, the origin does.
//!
//! Without single flight; with a bare loop of `SCAN` and `UNLINK` for a pattern.

use common::{Candidate, Document, Product, Run, Selection, Undecoded, origin};
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// Keys looked at by one `SCAN`; as this project has it.
const COUNT: usize = 1_000;
const SHELVES: u64 = Selection::SHELVES;

fn main() {
    let run = Run::from_arguments();
    let making = async {
        let client = redis::Client::open(run.redis()).expect("the runner gives a URL");
        let connection = client.get_multiplexed_async_connection().await;
        let connection: &'static _ = Box::leak(Box::new(connection.expect("the server listens")));
        connection
    };
    match run.variant() {
        "json" => run.measure_made(async { Json::<600>(making.await) }),
        "undecoded" => run.measure_made(async { Bytes(making.await) }),
        "ttl-1s" => run.measure_made(async { Json::<1>(making.await) }),
        "ttl-1h" => run.measure_made(async { Json::<3600>(making.await) }),
        _ => run.unknown(),
    }
}

/// Decoded, with a ttl of so many seconds.
#[derive(Clone, Copy)]
struct Json<const TTL: u64>(&'static MultiplexedConnection);

impl<const TTL: u64> Json<TTL> {
    async fn cached<V: Serialize + DeserializeOwned>(
        self,
        key: String,
        origin: impl Future<Output = V>,
    ) -> V {
        let mut redis = self.0.clone();
        let held: Result<Option<Vec<u8>>, _> = redis.get(&key).await;
        let held = held.ok().flatten();
        if let Some(value) = held.and_then(|held| serde_json::from_slice(&held).ok()) {
            return value;
        }
        let value = origin.await;
        let text = serde_json::to_vec(&value).expect("these values can be encoded");
        // Redis may be silent; the value is there all the same.
        let _: Result<(), _> = redis.set_ex(&key, text, TTL).await;
        value
    }
}

impl<const TTL: u64> Candidate for Json<TTL> {
    fn owned(self, id: u64) -> impl Future<Output = Product> + Send {
        self.cached(format!("product:{id}"), origin::owned(id))
    }

    fn document(self, id: u64) -> impl Future<Output = Document> + Send {
        self.cached(format!("document:{id}"), origin::document(id))
    }

    fn slow(self, id: u64) -> impl Future<Output = Arc<Product>> + Send {
        self.cached(format!("slow:{id}"), origin::slow(id))
    }

    fn filed(self, id: u64) -> impl Future<Output = Product> + Send {
        self.cached(filed(id), origin::owned(id))
    }

    async fn evict(self, selection: Selection, id: u64) {
        let mut redis = self.0.clone();
        match selection {
            Selection::Key => unlink(&mut redis, &[filed(id)]).await,
            Selection::Pattern => {
                let pattern = format!("shelf:{}:item:*:card", id % SHELVES);
                let mut cursor = 0u64;
                loop {
                    let mut scan = redis::cmd("SCAN");
                    scan.arg(cursor).arg("MATCH").arg(&pattern);
                    scan.arg("COUNT").arg(COUNT);
                    let (next, keys): (u64, Vec<String>) =
                        scan.query_async(&mut redis).await.expect("it answers");
                    if !keys.is_empty() {
                        unlink(&mut redis, &keys).await;
                    }
                    cursor = next;
                    if cursor == 0 {
                        break;
                    }
                }
            }
            Selection::Tag | Selection::Region => selection.unsupported().await,
        }
    }
}

fn filed(id: u64) -> String {
    format!("shelf:{}:item:{id}:card", id % SHELVES)
}

async fn unlink(redis: &mut MultiplexedConnection, keys: &[String]) {
    let _: u64 = redis.unlink(keys).await.expect("it answers");
}

/// Not decoded.
#[derive(Clone, Copy)]
struct Bytes(&'static MultiplexedConnection);

impl Candidate for Bytes {
    const UNDECODED: bool = true;

    async fn undecoded(self, id: u64) -> Undecoded {
        let (mut redis, key) = (self.0.clone(), format!("product:{id}"));
        let held: Option<Vec<u8>> = redis.get(&key).await.expect("it answers");
        if let Some(held) = held {
            return Undecoded(held);
        }
        let value = origin::owned(id).await;
        let text = serde_json::to_vec(&value).expect("a product can be encoded");
        let _: () = redis.set_ex(&key, &text, 600).await.expect("it answers");
        Undecoded(text)
    }
}
