//! Bytes under our keys that we did not put there, or that did not stay as they were: a miss, counted, and healed.

use cache_runtime::{Cache, Served, cacheable, traced};
use tests::scenarios::functions::key;
use tests::scenarios::origin::Origin;
use tests::scenarios::processes::{ask, builder, connected, has, keys, process, value_of};
use tests::server::RedisServer;

/// A process that has to ask Redis each time.
async fn without_memory(server: &RedisServer) -> Cache {
    connected(builder(server).no_memory()).await
}

#[tokio::test]
async fn foreign_things_under_the_lease_do_not_bar_the_key() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let cache = without_memory(&server).await;
    server
        .cli(&["SADD", &format!("{}:lease", value_of(&key(0))), "member"])
        .await;
    server
        .cli(&[
            "SET",
            &format!("{}:lease", value_of(&key(1))),
            "no lease of ours",
        ])
        .await;
    for id in 0..2 {
        assert_eq!(ask(&cache, &origin.source(), id).await.0, 1);
        tests::eventually::holds("the key can be cached", async || {
            ask(&cache, &origin.source(), id).await.1 == Served::Redis
        })
        .await;
    }
}

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Before {
    name: String,
}

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct After {
    name: String,
    price: u64,
}

#[cacheable(key = "shape:{id}")]
async fn before(id: u64) -> Before {
    Before {
        name: id.to_string(),
    }
}

#[cacheable(key = "shape:{id}")]
async fn after(id: u64) -> After {
    After {
        name: id.to_string(),
        price: 5,
    }
}

#[tokio::test]
async fn value_of_another_shape_is_a_miss_and_overwritten() {
    let server = RedisServer::start().await;
    let (old, new) = (process(&server).await, without_memory(&server).await);
    old.as_current(before(7)).await;
    assert_eq!(
        new.as_current(traced(after(7))).await.1,
        Some(Served::Loaded)
    );
    assert_eq!(new.stats().total.decode_errors, 1);
    assert_eq!(
        new.as_current(traced(after(7))).await.1,
        Some(Served::Redis)
    );
    assert!(has(&server, &value_of("shape:7")).await);
}

#[cacheable(key = "generic:{id}")]
async fn instance<T: From<u8> + cache_runtime::CacheValue>(id: u64) -> T {
    T::from(u8::try_from(id).expect("a small number"))
}

#[tokio::test]
async fn instantiations_on_one_explicit_key_read_each_other_as_misses() {
    let server = RedisServer::start().await;
    let cache = without_memory(&server).await;
    assert_eq!(
        cache.as_current(traced(instance::<u32>(7))).await,
        (7, Some(Served::Loaded))
    );
    assert_eq!(
        cache.as_current(traced(instance::<u32>(7))).await,
        (7, Some(Served::Redis))
    );
    assert_eq!(
        cache.as_current(traced(instance::<u64>(7))).await,
        (7, Some(Served::Loaded))
    );
    assert_eq!(
        cache.as_current(traced(instance::<u64>(7))).await,
        (7, Some(Served::Redis))
    );
    assert_eq!(
        cache.as_current(traced(instance::<u32>(7))).await,
        (7, Some(Served::Loaded))
    );
    assert_eq!(keys(&server).await, [value_of("generic:7")]);
}
