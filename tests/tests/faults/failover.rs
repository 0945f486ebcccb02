//! A new primary that has not heard the last words of the old one.

use std::time::{Duration, Instant};

use cache_runtime::testing::Hosts;
use cache_runtime::{Cache, Key, Served, cacheable, traced};
use tests::eventually;
use tests::proxy::{Mode, Proxy};
use tests::scenarios::origin::{End, Origin, Source};
use tests::scenarios::processes::{connected, has, of_url, value_of};
use tests::server::RedisServer;

use crate::kit::{ROOM, in_form, measured, short};

const NAME: &str = "failing.test";
const TTL: Duration = Duration::from_secs(12);

#[cacheable(
    key = "short:{id}",
    ttl = "12s",
    stampede_protection,
    wait_timeout = "60s"
)]
async fn lived(source: &Source, id: u64) -> u64 {
    source.load(&key(id)).await.expect("the origin is up")
}

fn key(id: u64) -> String {
    format!("short:{id}")
}

async fn read(cache: &Cache, source: &Source, id: u64) -> (u64, Option<Served>) {
    cache.as_current(traced(lived(source, id))).await
}

/// A primary, and a replica that has all it has as long as the proxy between them passes things on.
struct Pair {
    primary: RedisServer,
    replica: RedisServer,
    between: Proxy,
    hosts: Hosts,
}

impl Pair {
    async fn start() -> Pair {
        let primary = RedisServer::start().await;
        let between = Proxy::start(primary.addr()).await;
        let (host, port) = (
            between.addr().ip().to_string(),
            between.addr().port().to_string(),
        );
        let replica = RedisServer::builder().args(&["--replicaof", &host, &port]);
        let (replica, hosts) = (replica.start().await, Hosts::new());
        eventually::holds("it is a replica", async || {
            let told = replica.cli(&["INFO", "replication"]).await.text();
            told.contains("master_link_status:up")
        })
        .await;
        hosts.set(NAME, primary.addr());
        Pair {
            primary,
            replica,
            between,
            hosts,
        }
    }

    async fn process(&self) -> Cache {
        let cache = of_url(&format!("redis://{NAME}")).hosts(self.hosts.clone());
        connected(cache.redis_budget(Duration::from_secs(5))).await
    }

    /// The primary dies, and the replica takes its place with what it has heard.
    async fn fail_over(&self) {
        self.primary.kill();
        self.replica.cli(&["REPLICAOF", "NO", "ONE"]).await;
        self.hosts.set(NAME, self.replica.addr());
    }
}

#[tokio::test]
async fn fault_25_failover_loses_the_last_writes() {
    let (mut worst, mut stale, mut loads) = (Duration::ZERO, 0_u64, 0);
    let rounds = in_form(3, 1);
    for _ in 0..rounds {
        let (pair, origin) = (Pair::start().await, Origin::start().await);
        let (one, other) = (pair.process().await, pair.process().await);
        let source = origin.source();
        assert_eq!(read(&one, &source, 7).await, (1, Some(Served::Loaded)));
        let loaded = Instant::now();
        assert_eq!(read(&other, &source, 7).await, (1, Some(Served::Redis)));
        eventually::holds("it is replicated", async || {
            has(&pair.replica, &value_of(&key(7))).await
        })
        .await;
        pair.between.include_replicas();
        pair.between.set(Mode::BlackHole).await;
        // What the primary hears from now on, it alone has heard: an eviction, and the lease of a load.
        let new = origin.commit(&key(7));
        let evicted = one.evict(Key::new(&key(7))).await;
        evicted.expect("the primary has confirmed it");
        assert!(!has(&pair.primary, &value_of(&key(7))).await);
        origin.hold(2);
        let leader = tokio::spawn(one.as_current({
            let source = source.clone();
            async move { lived(&source, 8).await }
        }));
        origin.begun(&key(8), 1).await;

        pair.fail_over().await;
        for node in [&one, &other] {
            eventually::holds("both are there", async || node.health().is_ok()).await;
        }
        assert!(
            has(&pair.replica, &value_of(&key(7))).await,
            "the new primary has not heard of the eviction"
        );
        // Nobody knows of the lease, so another loads as well, and both have their answers.
        let second = tokio::spawn(other.as_current({
            let source = source.clone();
            async move { lived(&source, 8).await }
        }));
        origin.begun(&key(8), 2).await;
        origin.release(End::Value);
        let both = (leader.await, second.await);
        assert!(matches!(both, (Ok(1), Ok(1))), "{both:?}");
        loads += origin.loads(&key(8));
        // Stale while the entry lives, and no longer; then never again.
        while loaded.elapsed() < TTL + ROOM {
            for node in [&one, &other] {
                let begun = loaded.elapsed();
                if read(node, &source, 7).await.0 < new {
                    (stale, worst) = (stale + 1, worst.max(begun));
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(worst < TTL + ROOM / 3, "{worst:?}");
        for node in [&one, &other] {
            assert_eq!(read(node, &source, 7).await.0, new);
        }
    }
    assert!(stale > 0, "nothing was lost: this shows nothing");
    assert_eq!(loads, 2 * rounds, "one more for the lost lease");
    measured(
        25,
        format_args!(
            "{rounds} failovers: {loads} loads of {rounds} keys; an eviction that was lost is seen until {} of a ttl of {}, then never",
            short(worst),
            short(TTL)
        ),
    );
}
