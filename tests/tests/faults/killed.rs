//! A server that is killed, absent, or comes back with nothing.

use std::time::{Duration, Instant};

use cache_runtime::{Cache, Served};
use tests::eventually;
use tests::scenarios::functions::{key, product};
use tests::scenarios::origin::{End, Origin, Source};
use tests::scenarios::processes::{ask, connected, has, of_url, process, value_of};
use tests::server::RedisServer;
use tokio::task::JoinSet;

use crate::kit::{
    LATE, ROOM, back_within, late, measured, not_late, short, stores_again, until_down,
};

const FOUND: Duration = Duration::from_millis(2_500);

#[tokio::test]
async fn fault_01_killed_while_idle() {
    let server = RedisServer::start().await;
    let cache = connected(of_url(&server.url())).await;
    server.kill();
    let first = late(&cache).await;
    assert!(first < LATE, "{first:?}");
    until_down(&cache).await;
    let then = not_late(&cache).await;
    server.restart().await;
    let back = back_within(FOUND, &cache, &server, Instant::now()).await;
    let first = short(first);
    measured(
        1,
        format_args!(
            "first call {first} late, then {}; back after {}",
            short(then.median()),
            short(back)
        ),
    );
}

fn callers(calls: &mut JoinSet<u64>, cache: &Cache, source: &Source) {
    for _ in 0..50 {
        let source = source.clone();
        let call = cache.as_current(async move { product(&source, 7).await });
        calls.spawn(async move { call.await.expect("the origin is up") });
    }
}

#[tokio::test]
async fn fault_02_killed_in_the_middle_of_a_load() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let nodes = [
        process(&server).await,
        process(&server).await,
        process(&server).await,
    ];
    let (source, mut calls) = (origin.source(), JoinSet::new());
    origin.hold(nodes.len());
    callers(&mut calls, &nodes[0], &source);
    origin.begun(&key(7), 1).await;
    nodes[1..]
        .iter()
        .for_each(|node| callers(&mut calls, node, &source));
    // They wait for the lease of the first.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(origin.loads(&key(7)), 1);
    server.kill();
    origin.begun(&key(7), nodes.len() as u64).await;
    origin.release(End::Value);
    let answers = tokio::time::timeout(eventually::PATIENCE, calls.join_all()).await;
    let answers = answers.expect("nobody hangs");
    assert_eq!(answers, vec![1; 50 * nodes.len()]);
    let loads = origin.loads(&key(7));
    assert_eq!(loads, nodes.len() as u64, "one for each node");
    server.restart().await;
    assert!(
        !has(&server, &value_of(&key(7))).await,
        "nothing was stored"
    );
    measured(
        2,
        format_args!("150 callers in 3 processes answered by {loads} loads; 0 stored"),
    );
}

#[tokio::test]
async fn fault_03_absent_at_the_start() {
    let server = RedisServer::start().await;
    server.kill();
    let cache = of_url(&server.url())
        .build()
        .expect("nothing is connected here");
    let first = late(&cache).await;
    assert!(first < LATE, "{first:?}");
    until_down(&cache).await;
    let then = not_late(&cache).await;
    server.restart().await;
    let back = back_within(FOUND, &cache, &server, Instant::now()).await;
    measured(
        3,
        format_args!(
            "first call {} late, then {}; found {} after it appeared",
            short(first),
            short(then.median()),
            short(back)
        ),
    );
}

#[tokio::test]
async fn fault_04_restarted_empty() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let nodes = [process(&server).await, process(&server).await];
    let (source, ids) = (origin.source(), 0..20);
    for id in ids.clone() {
        for node in &nodes {
            eventually::holds("it is in memory", async || {
                ask(node, &source, id).await == (1, Served::Memory)
            })
            .await;
        }
        origin.commit(&key(id));
    }
    server.kill();
    server.restart().await;
    let restarted = Instant::now();
    for node in &nodes {
        stores_again(node, &server).await;
        eventually::holds("evictions are heard", async || node.health().is_ok()).await;
    }
    let back = restarted.elapsed();
    assert!(back < FOUND + ROOM, "{back:?}");
    for id in ids.clone() {
        let both = tokio::join!(ask(&nodes[0], &source, id), ask(&nodes[1], &source, id));
        assert_eq!((both.0.0, both.1.0), (2, 2), "nothing old is served");
        assert_eq!(origin.loads(&key(id)), 2, "one more in the fleet");
    }
    measured(
        4,
        format_args!(
            "nothing old served; back after {}; 1 load for each of {} keys in 2 processes",
            short(back),
            ids.count()
        ),
    );
}
