//! A slot of a cluster that moves: commands are sent elsewhere, no more than once each.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, Served, traced};
use tests::eventually;
use tests::scenarios::processes::{connected, of_url};
use tests::server::cluster::{Cluster, slot_of};
use tokio::task::JoinSet;

use crate::kit::{LATE, entry, in_form, instant, measured, short};

/// The entries of a slot: as many numbers as are wanted.
fn ids_of(slot: u16, count: usize) -> Vec<u64> {
    let of_slot = |id: &u64| slot_of(&entry(*id)) == slot;
    (2_000_000..).filter(of_slot).take(count).collect()
}

/// How often anybody was sent elsewhere, as the nodes count it.
async fn redirects(cluster: &Cluster) -> u64 {
    let mut sum = 0;
    for node in cluster.nodes() {
        let told = node.server.cli(&["INFO", "errorstats"]).await.text();
        for kind in ["errorstat_MOVED:count=", "errorstat_ASK:count="] {
            let count = told.lines().find_map(|line| line.strip_prefix(kind));
            sum += count.map_or(0, |count| count.trim().parse().unwrap_or(0));
        }
    }
    sum
}

/// A call that finds its entry in Redis: how long it took, and how often it was sent elsewhere.
async fn hit(cluster: &Cluster, cache: &Cache, id: u64) -> (Duration, u64) {
    let before = redirects(cluster).await;
    let call = cache.as_current(traced(instant(id)));
    let begun = Instant::now();
    assert_eq!(call.await, (id, Some(Served::Redis)));
    (begun.elapsed(), redirects(cluster).await - before)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_22_moved_and_ask() {
    const SLOT: u16 = 9_000;
    let cluster = Cluster::start().await;
    let cache = connected(of_url(&cluster.url()).no_memory()).await;
    let ids = ids_of(SLOT, 8);
    for &id in &ids {
        assert_eq!(cache.as_current(instant(id)).await, id);
    }
    // One by one: an entry that has moved, one that has not, and what comes of both when the slot has moved.
    let (mut latest, mut most) = (Duration::ZERO, 0);
    let mut see = |(took, sent): (Duration, u64)| {
        latest = latest.max(took);
        most = most.max(sent);
        sent
    };
    let migration = cluster.begin_migration(SLOT, &cluster.nodes()[0]).await;
    migration.move_keys(&[entry(ids[0])]).await;
    assert_eq!(
        see(hit(&cluster, &cache, ids[0]).await),
        1,
        "it is asked for"
    );
    assert_eq!(see(hit(&cluster, &cache, ids[1]).await), 0, "it is here");
    migration.finish().await;
    see(hit(&cluster, &cache, ids[2]).await);
    eventually::holds("the map is new", async || {
        hit(&cluster, &cache, ids[2]).await.1 == 0
    })
    .await;
    assert!(most <= 1, "{most} redirects of one command");
    // And many at once, while the slot goes round and round.
    let stop = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for number in 0..64 {
        let (cache, stop, id) = (cache.clone(), Arc::clone(&stop), ids[number % ids.len()]);
        callers.spawn(async move {
            let mut took = (0_u64, Duration::ZERO);
            while !stop.load(Ordering::SeqCst) {
                let begun = Instant::now();
                assert_eq!(cache.as_current(instant(id)).await, id);
                took = (took.0 + 1, took.1.max(begun.elapsed()));
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            took
        });
    }
    let (before, rounds) = (redirects(&cluster).await, in_form(30, 6));
    for round in 1..=rounds {
        let to = &cluster.nodes()[round % 3];
        let migration = cluster.begin_migration(SLOT, to).await;
        for key in migration.left().await {
            migration.move_keys(&[key]).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        migration.finish().await;
    }
    stop.store(true, Ordering::SeqCst);
    let (mut calls, mut slowest) = (0, Duration::ZERO);
    for (made, latest) in callers.join_all().await {
        (calls, slowest) = (calls + made, slowest.max(latest));
    }
    let sent = redirects(&cluster).await - before;
    assert!(latest.max(slowest) < LATE, "{latest:?}, {slowest:?}");
    measured(
        22,
        format_args!(
            "at most {most} redirect of a command, {} late; {rounds} migrations under 64 callers: {sent} redirects of {calls} calls, the slowest {}",
            short(latest),
            short(slowest)
        ),
    );
}
