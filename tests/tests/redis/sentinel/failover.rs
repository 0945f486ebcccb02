//! Another server becomes the primary: after it was killed, while it is stopped, and because somebody wants it so.

use std::time::{Duration, Instant};

use cache_runtime::{Cache, RedisHealth, Served};
use tests::eventually;
use tests::scenarios::functions::{key, rename};
use tests::scenarios::load::Load;
use tests::scenarios::origin::{Origin, Source};
use tests::scenarios::processes::{ask, connected, has, of_url, value_of};
use tests::server::{RedisServer, Sentinels};

use super::{FOLLOWED, process, uses};

/// Waits until it is connected again, having been told that the old primary is not it any more.
async fn followed(cache: &Cache, source: &Source, new: &RedisServer, what: &str) {
    let took = uses(cache, source, new, 1_000).await;
    println!("{what}: followed {took:?} after the new primary was announced");
    assert!(took < FOLLOWED, "{took:?}");
    eventually::holds("all is well", async || cache.health().is_ok()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_primary_under_load_costs_no_error_and_no_wrong_value() {
    let (all, origin) = (Sentinels::start().await, Origin::start().await);
    let source = origin.source();
    let cache = connected(of_url(&all.url())).await;
    let load = Load::start(&cache, &source);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let old = all.primary().await;
    old.kill();
    let new = all.primary_other_than(old).await;
    followed(&cache, &source, new, "killed").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    println!("killed: {}", load.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn planned_failover_under_load_costs_no_error_and_no_wrong_value() {
    let (all, origin) = (Sentinels::start().await, Origin::start().await);
    let source = origin.source();
    let cache = connected(of_url(&all.url())).await;
    let load = Load::start(&cache, &source);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let new = all.fail_over().await;
    followed(&cache, &source, new, "planned").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    println!("planned: {}", load.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_primary_that_comes_back_is_not_used_and_nothing_old_is_served() {
    let (all, origin) = (Sentinels::start().await, Origin::start().await);
    let source = origin.source();
    let cache = connected(of_url(&all.url())).await;
    let other = process(&all.url()).await;
    eventually::holds("both have it in memory", async || {
        ask(&cache, &source, 7).await.1 == Served::Memory
            && ask(&other, &source, 7).await.1 == Served::Memory
    })
    .await;
    let load = Load::start(&cache, &source);
    let old = all.primary().await;
    old.stop();
    let new = all.primary_other_than(old).await;
    followed(&cache, &source, new, "stopped").await;
    uses(&other, &source, new, 2_000).await;
    // The old primary holds the old value, and what `other` remembers is from then.
    let changed = cache.as_current(rename(&source, 7)).await;
    assert!(
        !has(new, &value_of(&key(7))).await,
        "evicted where it counts"
    );
    old.cont();
    let until = Instant::now() + Duration::from_secs(4);
    while Instant::now() < until {
        for process in [&cache, &other] {
            assert!(
                ask(process, &source, 7).await.0 >= changed,
                "an old value came back"
            );
            assert!(
                matches!(process.health().redis, RedisHealth::Connected { .. }),
                "the new primary is not left"
            );
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("stopped: {}", load.end().await);
    uses(&cache, &source, new, 3_000).await;
}
