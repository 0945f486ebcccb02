//! Waiting for another process's load: woken by a message, not by asking.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cache_runtime::{Cache, Served, cacheable, traced};
use tests::origin::Origin;
use tests::scenarios::processes::{commands, process};
use tests::server::{Monitor, RedisServer};

#[cacheable(key = "slow:{id}", stampede_protection)]
async fn slow(origin: Arc<Origin>, id: u64) -> u64 {
    let _ = id;
    origin.run().await
}

async fn ask(cache: Cache, origin: Arc<Origin>, id: u64) -> (Instant, Option<Served>) {
    let (_, served) = cache.as_current(traced(slow(origin, id))).await;
    (Instant::now(), served)
}

/// What of the commands speaks of leases: `EVALSHA` of acquire, store and release.
async fn scripts(monitor: &mut Monitor) -> usize {
    let seen = commands(monitor).await;
    seen.iter().filter(|it| it.name() == "EVALSHA").count()
}

#[tokio::test]
async fn a_waiter_sends_nothing_and_answers_as_soon_as_the_value_is_stored() {
    let server = RedisServer::start().await;
    let (one, other) = (process(&server).await, process(&server).await);
    let mut late = Vec::new();
    for id in 0..9 {
        let origin = Origin::closed();
        let leader = tokio::spawn(ask(one.clone(), Arc::clone(&origin), id));
        origin.reached(1).await;
        let mut monitor = server.monitor().await;
        let waiter = tokio::spawn(ask(other.clone(), Arc::clone(&origin), id));
        while scripts(&mut monitor).await == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        // Less than it would wait before it asked by itself.
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert_eq!(scripts(&mut monitor).await, 0, "it does not ask again");
        origin.open_gate();
        let (stored, served) = leader.await.unwrap();
        assert_eq!(served, Some(Served::Loaded));
        let (answered, served) = waiter.await.unwrap();
        assert_eq!(served, Some(Served::Shared));
        late.push(answered.saturating_duration_since(stored));
        assert_eq!(origin.runs(), 1);
    }
    late.sort_unstable();
    let median = late[late.len() / 2];
    println!(
        "a waiter answers {median:?} (median) after the leader, {:?} at most",
        late[8]
    );
    assert!(median < Duration::from_millis(200), "{late:?}");
}

#[tokio::test]
async fn a_waiter_whose_leader_is_dropped_is_told_and_takes_over() {
    let server = RedisServer::start().await;
    let (one, other) = (process(&server).await, process(&server).await);
    let origin = Origin::closed();
    let leader = tokio::spawn(ask(one.clone(), Arc::clone(&origin), 7));
    origin.reached(1).await;
    let mut monitor = server.monitor().await;
    let waiter = tokio::spawn(ask(other.clone(), Arc::clone(&origin), 7));
    while scripts(&mut monitor).await == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let dropped = Instant::now();
    leader.abort();
    origin.reached(2).await;
    assert!(
        dropped.elapsed() < Duration::from_secs(2),
        "sooner than the lease runs out: {:?}",
        dropped.elapsed()
    );
    origin.open_gate();
    assert_eq!(waiter.await.unwrap().1, Some(Served::Loaded));
}
