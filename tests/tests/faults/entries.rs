//! Bytes under our keys that we did not put there, or that did not stay as they were: a miss, counted, and healed.

use std::ops::Range;

use cache_runtime::{Cache, Served, cacheable, traced};
use tests::resp::Resp;
use tests::scenarios::functions::key;
use tests::scenarios::origin::{Origin, Source};
use tests::scenarios::processes::{ask, builder, connected, keys, value_of};
use tests::server::RedisServer;

use crate::kit::measured;

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
async fn fault_28_another_type_under_the_key() {
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
    let counted = cache.stats().total.decode_errors;
    measured(
        28,
        format_args!("3 types: 3 misses, {counted} counted, 3 overwritten"),
    );
}

#[tokio::test]
async fn fault_29_every_byte_damaged() {
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
    measured(
        29,
        format_args!(
            "{} bytes damaged: {} misses, 0 other values",
            whole.len(),
            loads - 1
        ),
    );
}

#[tokio::test]
async fn fault_29_torn_at_every_byte() {
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
    measured(
        29,
        format_args!("torn at {} places: as many misses", whole.len()),
    );
}

#[tokio::test]
async fn fault_30_foreign_value() {
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
    measured(
        30,
        format_args!("{} lengths: as many misses, all overwritten", lengths.len()),
    );
}

#[cacheable(key = "lengthy:{text}")]
async fn lengthy(text: &str) -> String {
    text.to_owned()
}

#[tokio::test]
async fn fault_60_digest_that_two_keys_share() {
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
    measured(60, "the other's value is a miss and is overwritten");
}
