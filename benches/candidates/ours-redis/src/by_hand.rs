//! The same entries, and their pattern by hand: what an eviction costs beyond the loop that it is, among keys and values of one size.
//!
//! The loop is the one of the candidate `redis`, written again: what candidates share knows no client, so that none is built with what another asks of it.

use common::{Candidate, Product, Selection};
use redis::aio::MultiplexedConnection;

use crate::evicted::Evicted;

/// Keys looked at by one `SCAN`; as this project has it.
const COUNT: usize = 1_000;

/// Nobody hears of what is removed.
#[derive(Clone, Copy)]
pub(crate) struct ByHand(&'static MultiplexedConnection);

impl ByHand {
    pub(crate) async fn at(url: &str) -> ByHand {
        let client = redis::Client::open(url).expect("the runner gives a URL");
        let connection = client.get_multiplexed_async_connection().await;
        ByHand(Box::leak(Box::new(connection.expect("the server listens"))))
    }
}

impl Candidate for ByHand {
    fn filed(self, id: u64) -> impl Future<Output = Product> + Send {
        Evicted.filed(id)
    }

    async fn evict(self, selection: Selection, id: u64) {
        if selection != Selection::Pattern {
            selection.unsupported().await;
        }
        let mut redis = self.0.clone();
        let shelf = id % Selection::SHELVES;
        let pattern = format!("bench:{{shelf:{shelf}:item:*:card}}");
        let mut cursor = 0u64;
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(&pattern);
            scan.arg("COUNT").arg(COUNT);
            let (next, keys): (u64, Vec<String>) =
                scan.query_async(&mut redis).await.expect("it answers");
            if !keys.is_empty() {
                let mut unlink = redis::cmd("UNLINK");
                let _: u64 = unlink
                    .arg(keys)
                    .query_async(&mut redis)
                    .await
                    .expect("it answers");
            }
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
    }
}
