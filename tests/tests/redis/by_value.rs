//! Programmatic calls whose values decide, over a server: what one process stores another reads, and evicts.

use std::time::Duration;

use cache_runtime::{Cache, Evict, Key, Policy, Served, traced};
use tests::eventually;
use tests::scenarios::processes::{has, process, value_of};
use tests::server::RedisServer;

async fn load(cache: &Cache, key: &str, policy: &Policy, value: u64) -> (u64, Served) {
    let key = Key::new(key);
    let call = cache.get_or_load(&key, policy, || async move { value });
    let (value, served) = traced(call).await;
    (value, served.expect("the call reports"))
}

#[tokio::test]
async fn values_decide_what_the_fleet_keeps() {
    let server = RedisServer::start().await;
    let (one, other) = (process(&server).await, process(&server).await);
    let policy = Policy::new()
        .unless(|value: &u64| *value == 0)
        .ttl_from(|value: &u64| Duration::from_secs(*value))
        .tags_from(|value: &u64| vec![format!("about:{value}")]);
    load(&one, "refused", &policy, 0).await;
    assert!(!has(&server, &value_of("refused")).await);

    // A tag that nobody knows yet costs a load that is not stored.
    let stored = async |key: &str, value: u64| {
        eventually::holds("it is stored", async || {
            load(&one, key, &policy, value).await;
            has(&server, &value_of(key)).await
        })
        .await;
    };
    stored("a", 500).await;
    stored("b", 600).await;
    let life = server.cli(&["TTL", &value_of("a")]).await.int();
    assert!((1..=500).contains(&life), "{life}");
    assert_eq!(load(&other, "a", &policy, 1).await, (500, Served::Redis));
    assert_eq!(load(&other, "b", &policy, 1).await, (600, Served::Redis));
    other.evict(Evict::tag("about:500")).await.unwrap();
    eventually::holds("the first has heard of it", async || {
        one.get::<u64>(&Key::new("a")).await.is_none()
    })
    .await;
    assert_eq!(one.get::<u64>(&Key::new("b")).await, Some(600));
    // Zero removes what is stored, for everybody.
    cache_runtime::refresh(load(
        &one,
        "b",
        &Policy::new().ttl_from(|_: &u64| Duration::ZERO),
        9,
    ))
    .await;
    assert!(!has(&server, &value_of("b")).await);
}
