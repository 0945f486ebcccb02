//! Bytes under our keys that we did not put there, or that did not stay as they were: a miss, counted, and healed.

use std::ops::Range;

use cache_runtime::{Cache, Served, cacheable, traced};
use tests::resp::Resp;
use tests::scenarios::functions::key;
use tests::scenarios::origin::{Origin, Source};
use tests::scenarios::processes::{ask, builder, connected, has, keys, process, value_of};
use tests::server::RedisServer;

/// A process that has to ask Redis each time.
async fn without_memory(server: &RedisServer) -> Cache {
    connected(builder(server).no_memory()).await
}

/// What stands under the key is not served and is counted; what is stored instead is.
async fn is_healed(cache: &Cache, source: &Source, id: u64, counted: Range<u64>, what: &str) {
    let before = cache.stats().total.decode_errors;
    assert_eq!(ask(cache, source, id).await, (1, Served::Loaded), "{what}");
    let errors = cache.stats().total.decode_errors - before;
    assert!(counted.contains(&errors), "{what}: {errors} decode errors");
    assert_eq!(ask(cache, source, id).await, (1, Served::Redis), "{what}");
    assert_eq!(cache.stats().total.decode_errors - before, errors, "{what}");
}

#[tokio::test]
async fn foreign_strings_of_any_length_are_misses_and_overwritten() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let cache = without_memory(&server).await;
    let lengths = [0, 1, 15, 16, 17, 18, 67, 68, 69, 500];
    for (id, length) in (0..).zip(lengths) {
        server
            .cli(&[
                b"SET".to_vec(),
                value_of(&key(id)).into_bytes(),
                vec![b'x'; length],
            ])
            .await;
        is_healed(
            &cache,
            &origin.source(),
            id,
            1..3,
            &format!("{length} bytes"),
        )
        .await;
    }
    assert_eq!(cache.stats().total.redis_errors, 0);
}

#[tokio::test]
async fn foreign_types_are_misses_and_overwritten() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let cache = without_memory(&server).await;
    let (set, list, hash) = (value_of(&key(0)), value_of(&key(1)), value_of(&key(2)));
    server.cli(&["SADD", &set, "member"]).await;
    server.cli(&["RPUSH", &list, "item"]).await;
    server.cli(&["HSET", &hash, "field", "value"]).await;
    for id in 0..3 {
        is_healed(&cache, &origin.source(), id, 1..3, "another type").await;
    }
    assert_eq!(cache.stats().total.redis_errors, 0);
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

#[tokio::test]
async fn every_flipped_bit_is_a_miss_and_never_another_value() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let cache = without_memory(&server).await;
    assert_eq!(ask(&cache, &origin.source(), 7).await, (1, Served::Loaded));
    let Resp::Bulk(whole) = server.cli(&["GET", &value_of(&key(7))]).await else {
        panic!("the entry is a string")
    };
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        server
            .cli(&[b"SET".to_vec(), value_of(&key(7)).into_bytes(), damaged])
            .await;
        // Byte 21 says that the entry was expired early: no damage, and no value to serve either.
        let counted = if at == 21 { 0..1 } else { 1..3 };
        is_healed(&cache, &origin.source(), 7, counted, &format!("byte {at}")).await;
    }
    let loads = origin.loads(&key(7));
    assert_eq!(loads, 1 + whole.len() as u64);
}

#[tokio::test]
async fn every_torn_entry_is_a_miss() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let cache = without_memory(&server).await;
    ask(&cache, &origin.source(), 7).await;
    let Resp::Bulk(whole) = server.cli(&["GET", &value_of(&key(7))]).await else {
        panic!("the entry is a string")
    };
    for length in 0..whole.len() {
        let torn = whole[..length].to_vec();
        server
            .cli(&[b"SET".to_vec(), value_of(&key(7)).into_bytes(), torn])
            .await;
        is_healed(
            &cache,
            &origin.source(),
            7,
            1..3,
            &format!("{length} bytes"),
        )
        .await;
    }
}

#[tokio::test]
async fn entry_under_anothers_key_is_not_served() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let cache = without_memory(&server).await;
    origin.commit(&key(8));
    let mut long = Vec::new();
    for tail in ["a", "b"] {
        let text = "x".repeat(600) + tail;
        assert_eq!(
            cache.as_current(traced(lengthy(&text))).await,
            (text, Some(Served::Loaded))
        );
        long.push(
            keys(&server)
                .await
                .into_iter()
                .find(|key| !long.contains(key))
                .expect("it is stored"),
        );
    }
    // A digest that two keys share: what a collision would look like.
    server.cli(&["COPY", &long[0], &long[1], "REPLACE"]).await;
    let text = "x".repeat(600) + "b";
    assert_eq!(
        cache.as_current(traced(lengthy(&text))).await,
        (text.clone(), Some(Served::Loaded))
    );
    assert_eq!(
        cache.as_current(traced(lengthy(&text))).await,
        (text, Some(Served::Redis))
    );
}

#[cacheable(key = "lengthy:{text}")]
async fn lengthy(text: &str) -> String {
    text.to_owned()
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
