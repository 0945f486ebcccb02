//! A cluster with a primary that is gone or silent, with connections that are all reset, and with all that a day may bring.

use std::ops::Range;
use std::time::{Duration, Instant};

use cache_runtime::Cache;
use tests::eventually;
use tests::scenarios::load::Load;
use tests::scenarios::origin::Origin;
use tests::scenarios::processes::{connected, of_url};
use tests::server::cluster::{Cluster, Node, Settings};
use tests::times::Times;

use crate::beside::Pair;
use crate::kit::{
    LATE, ROOM, entry, half_and_most, in_form, instant, late, measured, new_id, short,
};

/// The primary that keeps the registry, and the generation of the cache in it, which every entry depends on: the one whose loss might hurt the others most.
fn with_registry(cluster: &Cluster) -> usize {
    cluster.shard_of("shop:#sites")
}

fn others_than(shard: usize) -> Vec<usize> {
    (0..3).filter(|&other| other != shard).collect()
}

/// Callers of what is on one shard, who are all answered.
async fn calls_of(cache: &Cache, shard: usize, cluster: &Cluster, lasting: Duration) -> Duration {
    let (begun, mut latest) = (Instant::now(), Duration::ZERO);
    while begun.elapsed() < lasting {
        let id = new_id();
        if cluster.shard_of(&entry(id)) != shard {
            continue;
        }
        let call = cache.as_current(instant(id));
        let begun = Instant::now();
        assert_eq!(call.await, id, "the origin's answer");
        latest = latest.max(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    latest
}

/// A primary goes, and stays away for as long as it takes: what its callers and those of the other shards see.
async fn one_is_gone(row: u8, goes: impl Fn(&Node), comes: impl AsyncFn(&Node)) {
    let pair = Pair::start(Settings::default()).await;
    let (cluster, cache) = &pair.troubled;
    let everything = pair.stored(&[0, 1, 2]).await;
    let bad = with_registry(cluster);
    let (node, healthy) = (&cluster.nodes()[bad], pair.stored(&others_than(bad)).await);
    let before = pair.call(&everything);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = before.end().await;
    goes(node);
    let calls = pair.call(&healthy);
    let lasting = in_form(Duration::from_secs(15), Duration::from_secs(6));
    let latest = calls_of(cache, bad, cluster, lasting).await;
    let beside = calls.end().await;
    comes(node).await;
    let back = well_again(cluster, cache).await;
    assert!(latest < LATE, "{latest:?}");
    beside.is_even();
    measured(
        row,
        format_args!(
            "the other shards {beside} (before it {before}); calls of its own at most {} late; back after {}",
            short(latest),
            short(back)
        ),
    );
}

async fn well_again(cluster: &Cluster, cache: &Cache) -> Duration {
    let begun = Instant::now();
    cluster.settled().await;
    eventually::holds("all is well", async || cache.health().is_ok()).await;
    let back = begun.elapsed();
    // New primaries take no commands for two seconds.
    assert!(back < Duration::from_secs(5) + ROOM, "{back:?}");
    back
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_23_primary_without_a_replica_killed() {
    one_is_gone(
        23,
        |node| node.server.kill(),
        async |node| node.server.restart().await,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_24_one_node_stopped() {
    one_is_gone(
        24,
        |node| node.server.stop(),
        async |node| node.server.cont(),
    )
    .await;
}

/// Who has loaded nothing yet knows no generation, and has to ask for it: then everybody goes to the origin, and nobody waits for the primary that keeps it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_24_the_node_with_the_registry_stopped() {
    let cluster = Cluster::start().await;
    let cache = connected(of_url(&cluster.url())).await;
    let bad = with_registry(&cluster);
    cluster.nodes()[bad].server.stop();
    let lasting = in_form(Duration::from_secs(5), Duration::from_secs(1));
    let mut latest = Duration::ZERO;
    for shard in 0..3 {
        latest = latest.max(calls_of(&cache, shard, &cluster, lasting).await);
    }
    let mut then = Times::default();
    for _ in 0..2_000 {
        then.add(late(&cache).await);
    }
    cluster.nodes()[bad].server.cont();
    let back = well_again(&cluster, &cache).await;
    assert!(latest < LATE, "{latest:?}");
    // A round trip more than the origin, and what else this machine does.
    assert!(then.median() < LATE / 10, "{then}");
    measured(
        24,
        format_args!(
            "the node with the registry: everybody at most {} late, then {}; back after {}",
            short(latest),
            half_and_most(&then),
            short(back)
        ),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_26_all_connections_reset() {
    let settings = Settings {
        proxies: true,
        ..Settings::default()
    };
    let cluster = settings.start().await;
    let cache = connected(of_url(&cluster.url())).await;
    let origin = Origin::start().await;
    let load = Load::start(&cache, &origin.source());
    let (mut latest, mut slowest_back) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..in_form(10, 3) {
        for node in cluster.nodes() {
            node.proxy().reset_all();
        }
        let reset = Instant::now();
        for _ in 0..20 {
            latest = latest.max(late(&cache).await);
        }
        for shard in 0..3 {
            stores_in(&cluster, shard, &cache).await;
        }
        slowest_back = slowest_back.max(reset.elapsed());
        eventually::holds("all is well", async || cache.health().is_ok()).await;
    }
    let told = load.end().await;
    assert!(latest < LATE, "{latest:?}");
    let required = Duration::from_millis(2_500);
    assert!(slowest_back < required + ROOM, "{slowest_back:?}");
    measured(
        26,
        format_args!(
            "{told}; first calls at most {} late; every shard used again after {}",
            short(latest),
            short(slowest_back)
        ),
    );
}

/// Waits until loads of a shard are stored.
async fn stores_in(cluster: &Cluster, shard: usize, cache: &Cache) {
    eventually::holds("a load is stored in the shard", async || {
        let mut new = std::iter::repeat_with(new_id);
        let id = new.find(|&id| cluster.shard_of(&entry(id)) == shard);
        let id = id.expect("every shard has some");
        assert_eq!(cache.as_current(instant(id)).await, id);
        let key = entry(id);
        cluster.cli(&key, &["EXISTS", &key]).await.int() == 1
    })
    .await;
}

/// What the issue asks to be shown: it is no row of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn primary_killed_under_load_and_a_slot_migrated() {
    const SLOTS: Range<u16> = 9_000..9_010;
    let pair = Pair::start(Settings {
        replicas: 1,
        ..Settings::default()
    })
    .await;
    let (cluster, cache) = &pair.troubled;
    pair.stored(&[0, 1, 2]).await;
    let bad = with_registry(cluster);
    let healthy = pair.stored(&others_than(bad)).await;
    let origin = Origin::start().await;
    let (loaded, other_origin) = (
        connected(of_url(&cluster.url())).await,
        Origin::start().await,
    );
    let load = Load::start(&loaded, &origin.source());
    // The other cluster has to bear the same.
    let also_loaded = connected(of_url(&pair.calm.0.url())).await;
    let other_load = Load::start(&also_loaded, &other_origin.source());
    let (calls, old) = (pair.call(&healthy), &cluster.nodes()[bad]);
    let slot = (0..3 * 5_461).step_by(5_461).nth(bad).expect("its first");
    tokio::time::sleep(Duration::from_millis(500)).await;
    old.server.kill();
    let killed = Instant::now();
    cluster.primary_other_than(old, slot).await;
    let replaced = killed.elapsed();
    stores_in(cluster, bad, cache).await;
    let back = killed.elapsed();
    let failover = calls.end().await;
    let calls = pair.call(&healthy);
    for slot in SLOTS {
        let owner = cluster.primary_of(slot).await;
        let primaries = cluster.primaries().await;
        let to = primaries.into_iter().find(|it| it.id != owner.id);
        cluster.migrate(slot, to.expect("there are three")).await;
    }
    let migration = calls.end().await;
    let told = load.end().await;
    other_load.end().await;
    failover.is_even();
    migration.is_even();
    println!(
        "must show: {told}; replaced after {}, used {} later; the other shards during the failover {failover}, during migrations {migration}",
        short(replaced),
        short(back - replaced)
    );
}
