//! Somebody else writes under our name, as much as they like: callers get the origin's value, evictions hold, and it passes.

use cache_runtime::{Cache, Evict, RedisHealth, Served};
use tests::eventually;
use tests::scenarios::functions::key;
use tests::scenarios::origin::{Origin, Source};
use tests::scenarios::processes::{ask, builder, connected, process, value_of};
use tests::server::RedisServer;

/// Much more than anything of ours is, and less than a test machine minds.
const HUGE: usize = 16 << 20;

/// An eviction is seen by the next call, whatever is in Redis.
async fn evictions_hold(cache: &Cache, origin: &Origin, source: &Source, evict: Evict) -> u64 {
    ask(cache, source, 7).await;
    let new = origin.commit(&key(7));
    // One that is not confirmed is queued, and counts all the same.
    let _ = cache.evict(evict).await;
    assert_eq!(ask(cache, source, 7).await.0, new);
    new
}

async fn is_cached_again(cache: &Cache, source: &Source) {
    eventually::holds("values are kept in Redis again", async || {
        ask(cache, source, 8).await.1 == Served::Redis
    })
    .await;
    assert!(matches!(
        cache.health().redis,
        RedisHealth::Connected { .. }
    ));
}

#[tokio::test]
async fn registry_of_a_hundred_thousand_regions_is_no_end() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (cache, source) = (
        connected(builder(&server).no_memory()).await,
        origin.source(),
    );
    ask(&cache, &source, 7).await;
    let fill = "for i = 1, 100000 do redis.call('HSET', KEYS[1], 'junk:' .. i, 'x') end";
    server.cli(&["EVAL", fill, "1", "shop:#sites"]).await;
    for evict in [
        Evict::region("product"),
        Evict::pattern("product:*"),
        Evict::all(),
    ] {
        evictions_hold(&cache, &origin, &source, evict).await;
    }
    is_cached_again(&cache, &source).await;
}

#[tokio::test]
async fn huge_things_in_the_place_of_ours_are_misses_until_they_are_gone() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (cache, source) = (
        connected(builder(&server).no_memory()).await,
        origin.source(),
    );
    for id in [7, 8] {
        ask(&cache, &source, id).await;
    }
    // The value, its lease, the generation of its region, the registry's, the clock.
    let region = "shop:#tag:{#r:product}".to_owned();
    let names = [
        value_of(&key(7)),
        format!("{}:lease", value_of(&key(7))),
        region,
        "shop:#clock".to_owned(),
    ];
    let mut value = 1;
    let body = "g".to_owned() + &"7".repeat(HUGE);
    for name in &names {
        assert_eq!(
            server.cli(&["EXISTS", name]).await.int() == 1,
            !name.ends_with("lease"),
            "{name}"
        );
        server.cli(&["SET", name, &body]).await;
        // One that knows no generation yet has to read them.
        let cache = connected(builder(&server).no_memory()).await;
        assert_eq!(ask(&cache, &source, 7).await.0, value, "{name}");
        value = evictions_hold(&cache, &origin, &source, Evict::region("product")).await;
        server.cli(&["DEL", name]).await;
    }
    is_cached_again(&cache, &source).await;
}

#[tokio::test]
async fn messages_that_nobody_of_ours_would_send_are_survived() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (cache, source) = (process(&server).await, origin.source());
    // Of our version, from nobody, that everything of a million names is gone; cut off where the count of names ends.
    let mut header = [1; 46];
    header[37] = 2;
    let many = [
        &header[..],
        &[0xFF, 0xFF],
        &[b'k', 0, 0].repeat(1_000_000)[..],
    ]
    .concat();
    let cut_off = [&header[..], &[0xFF, 0xFF]].concat();
    let newer = [&[2][..], &header[1..], &[0, 0]].concat();
    for message in [many, cut_off, newer, vec![0; HUGE], Vec::new()] {
        eventually::holds("memory serves", async || {
            ask(&cache, &source, 7).await.1 == Served::Memory
        })
        .await;
        let sent = server.cli(&[&b"PUBLISH"[..], b"shop:#bus", &message]).await;
        assert_eq!(sent.int(), 1, "one listens");
        // It may have said anything, so what was in memory is not believed any more.
        eventually::holds("it is asked for", async || {
            ask(&cache, &source, 7).await.1 != Served::Memory
        })
        .await;
    }
    eventually::holds("memory serves", async || {
        ask(&cache, &source, 7).await.1 == Served::Memory
    })
    .await;
    assert_eq!(origin.loads(&key(7)), 1, "Redis has it all the time");
}
