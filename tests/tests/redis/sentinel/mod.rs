//! A primary that is found through its Sentinels, and followed when it becomes another.

mod failover;
mod fake;
mod oracle;
mod ways;

use std::time::{Duration, Instant};

use cache_runtime::{Cache, RedisHealth};
use tests::eventually;
use tests::scenarios::functions::key;
use tests::scenarios::origin::Source;
use tests::scenarios::processes::{ask, connected, has, of_url, value_of};
use tests::server::RedisServer;

/// What a failover may take on a machine that does much else; what is required is 2 s.
const FOLLOWED: Duration = Duration::from_secs(5);

/// A process with time enough for its commands that a busy machine changes nothing.
async fn process(url: &str) -> Cache {
    connected(of_url(url).redis_budget(Duration::from_secs(5))).await
}

/// Waits until loads of this process are stored on this server; how long that took.
async fn uses(cache: &Cache, source: &Source, server: &RedisServer, mut id: u64) -> Duration {
    let started = Instant::now();
    eventually::holds("a load is stored on this server", async || {
        id += 1;
        ask(cache, source, id).await;
        has(server, &value_of(&key(id))).await
    })
    .await;
    started.elapsed()
}

/// The reason health gives for Redis being down, once there is one that says this.
async fn says(cache: &Cache, what: &str) -> String {
    eventually::some("health says why", async || match cache.health().redis {
        RedisHealth::Down { why, .. } if why.contains(what) => Some(why),
        _ => None,
    })
    .await
}
