//! What a call costs, in commands as the server sees them; and that the scripts behind them survive being forgotten.

use std::time::Duration;

use cache_runtime::{Evict, Key, Served, bypass, cacheable, key, traced};
use tests::eventually;
use tests::scenarios::functions::{key, product, rename};
use tests::scenarios::origin::{End, Origin, Source};
use tests::scenarios::processes::{ask, commands, has, keys, names, process, value_of, warm};
use tests::server::{Monitor, RedisServer};

#[cacheable(key = "here:{id}", l2 = false)]
async fn here(source: &Source, id: u64) -> u64 {
    source.load("here").await.expect("the origin is up") + id
}

#[cacheable(key = "even:{id}", condition = id.is_multiple_of(2))]
async fn even(source: &Source, id: u64) -> u64 {
    source.load("even").await.expect("the origin is up") + id
}

/// Carries a label of every kind; the value names one of them.
#[cacheable(key = "shelf:{id}", tags = ["shelves", "of:{result / 100}"], scope = "user:7")]
async fn shelf(id: u64) -> u64 {
    id
}

#[tokio::test]
async fn hit_in_redis_is_one_get() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (one, other) = (process(&server).await, process(&server).await);
    ask(&one, &origin.source(), 7).await;
    warm(&other).await;
    let mut monitor = server.monitor().await;
    assert_eq!(ask(&other, &origin.source(), 7).await, (1, Served::Redis));
    let seen = commands(&mut monitor).await;
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(seen[0].text(), format!("GET {}", value_of(&key(7))));
}

#[tokio::test]
async fn tagged_hit_in_redis_is_one_get_once_its_generations_are_known() {
    let server = RedisServer::start().await;
    let (one, other) = (process(&server).await, process(&server).await);
    let stored = |id: u64| value_of(&format!("shelf:{id}:,user%3A7"));
    for id in [7, 8] {
        // Who makes the tag that the value names does not store.
        eventually::holds("it is stored", async || {
            one.as_current(shelf(id)).await;
            has(&server, &stored(id)).await
        })
        .await;
    }
    let mut monitor = server.monitor().await;
    assert_eq!(other.as_current(traced(shelf(7))).await.1, REDIS);
    let unknown = names(&mut monitor).await;
    assert!(unknown.len() > 1, "{unknown:?}");
    assert_eq!(other.as_current(traced(shelf(8))).await.1, REDIS);
    let known = commands(&mut monitor).await;
    assert_eq!(known.len(), 1, "{known:?}");
    assert_eq!(known[0].text(), format!("GET {}", stored(8)));
}

const REDIS: Option<Served> = Some(Served::Redis);

#[tokio::test]
async fn tagged_miss_is_get_acquire_and_store_once_its_generations_are_known() {
    let server = RedisServer::start().await;
    let cache = process(&server).await;
    for id in [1, 2] {
        cache.as_current(tagged(id)).await;
    }
    let mut monitor = server.monitor().await;
    cache.as_current(tagged(3)).await;
    assert_eq!(names(&mut monitor).await, ["GET", "EVALSHA", "EVALSHA"]);
}

#[cacheable(key = "tagged:{id}", tags = ["shelves"], scope = "user:7")]
async fn tagged(id: u64) -> u64 {
    id
}

#[tokio::test]
async fn miss_is_get_acquire_and_store() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let cache = process(&server).await;
    warm(&cache).await;
    let mut monitor = server.monitor().await;
    assert_eq!(ask(&cache, &origin.source(), 7).await, (1, Served::Loaded));
    assert_eq!(names(&mut monitor).await, ["GET", "EVALSHA", "EVALSHA"]);
}

#[tokio::test]
async fn hit_in_memory_is_no_command() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let cache = process(&server).await;
    ask(&cache, &origin.source(), 7).await;
    let mut monitor = server.monitor().await;
    assert_eq!(ask(&cache, &origin.source(), 7).await, (1, Served::Memory));
    assert_eq!(names(&mut monitor).await, [""; 0]);
}

#[tokio::test]
async fn eviction_by_key_is_one_script() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let cache = process(&server).await;
    ask(&cache, &origin.source(), 7).await;
    let mut monitor = server.monitor().await;
    cache.evict(Key::new("product:7")).await.unwrap();
    assert_eq!(names(&mut monitor).await, ["EVALSHA"]);
    cache.as_current(rename(&origin.source(), 7)).await;
    assert_eq!(names(&mut monitor).await, ["EVALSHA"]);
    cache
        .evict(Evict::keys((0..100).map(|id: u64| key!("product:{id}"))))
        .await
        .unwrap();
    assert_eq!(names(&mut monitor).await, ["EVALSHA"]);
}

/// What gives a lease back: a script over the lease alone, with the token it was taken with.
async fn is_given_back(monitor: &mut Monitor) {
    let lease = format!("1 {}:lease", value_of(&key(7)));
    eventually::holds("a lease is given back", async || {
        let seen = commands(monitor).await;
        seen.iter().any(|command| command.text().contains(&lease))
    })
    .await;
}

#[tokio::test]
async fn failed_dropped_and_vetoed_loads_give_their_lease_back_and_do_not_leave_it_to_time() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (cache, source) = (process(&server).await, origin.source());
    let mut monitor = server.monitor().await;
    origin.hold(1);
    origin.release(End::Fail);
    cache.as_current(product(&source, 7)).await.unwrap_err();
    is_given_back(&mut monitor).await;

    origin.hold(1);
    let dropped = tokio::spawn({
        let source = source.clone();
        cache.as_current(async move { product(&source, 7).await })
    });
    origin.begun(&key(7), 2).await;
    dropped.abort();
    is_given_back(&mut monitor).await;

    cache.as_current(vetoed(&source, 7)).await;
    is_given_back(&mut monitor).await;
    assert_eq!(keys(&server).await, [""; 0]);
}

#[cacheable(key = "product:{id}", unless = |_| true)]
async fn vetoed(source: &Source, id: u64) -> u64 {
    source.load(&key(id)).await.expect("the origin is up")
}

#[tokio::test]
async fn calls_that_need_no_redis_send_nothing() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (cache, source) = (process(&server).await, origin.source());
    // The first call of each makes its region known.
    cache.as_current(here(&source, 2)).await;
    cache.as_current(even(&source, 4)).await;
    let mut monitor = server.monitor().await;
    cache.as_current(here(&source, 1)).await;
    cache.as_current(even(&source, 1)).await;
    cache.as_current(bypass(product(&source, 1))).await.unwrap();
    assert_eq!(names(&mut monitor).await, [""; 0]);
    assert_eq!(cache.stats().total.bypassed, 2);
    cache.as_current(even(&source, 2)).await;
    assert_eq!(names(&mut monitor).await, ["GET", "EVALSHA", "EVALSHA"]);
}

#[tokio::test]
async fn eviction_of_nothing_sends_nothing_and_leaves_everything() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (cache, source) = (process(&server).await, origin.source());
    ask(&cache, &source, 7).await;
    let mut monitor = server.monitor().await;
    for nothing in [Evict::default(), Evict::keys([]), Evict::tags([""; 0])] {
        cache.evict(nothing.clone()).await.unwrap();
        cache.expire(nothing.clone()).await.unwrap();
        cache
            .evict(nothing.hold(Duration::from_secs(1)))
            .await
            .unwrap();
    }
    assert_eq!(names(&mut monitor).await, [""; 0]);
    assert_eq!(ask(&cache, &source, 7).await, (1, Served::Memory));
}

#[tokio::test]
async fn server_that_forgot_the_scripts_is_told_them_again() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (cache, source) = (process(&server).await, origin.source());
    for id in 0..3 {
        server.cli(&["SCRIPT", "FLUSH"]).await;
        assert_eq!(ask(&cache, &source, id).await, (1, Served::Loaded));
        assert!(
            server.cli(&["EXISTS", &value_of(&key(id))]).await.int() == 1,
            "it was stored"
        );
        server.cli(&["SCRIPT", "FLUSH"]).await;
        cache.evict(Key::new(&key(id))).await.unwrap();
        assert!(
            server.cli(&["EXISTS", &value_of(&key(id))]).await.int() == 0,
            "it was evicted"
        );
    }
    assert_eq!(cache.stats().total.redis_errors, 0);
}
