//! Two builds of a service at once, with another schema version each, on one key.

use cache_runtime::{
    Cache, Evict, Key, Served, cache_evict, cache_put, cacheable, refresh, traced,
};
use serde::{Deserialize, Serialize};
use tests::resp::Resp;
use tests::scenarios::origin::{Origin, Source};
use tests::scenarios::processes::{builder, connected, has, process, value_of};
use tests::server::RedisServer;

const KEY: &str = "versioned:7";

/// The old build's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct V1 {
    number: u64,
}

/// The new build's: it would not read as the old one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct V2 {
    number: u64,
    new: String,
}

#[cacheable(key = "versioned:{id}", version = 1, ttl = "10m")]
async fn old(source: &Source, id: u64) -> V1 {
    let _ = id;
    V1 {
        number: source.load(KEY).await.expect("the origin is up"),
    }
}

#[cacheable(key = "versioned:{id}", version = 2, ttl = "10m")]
async fn new(source: &Source, id: u64) -> V2 {
    let _ = id;
    V2 {
        number: source.load(KEY).await.expect("the origin is up"),
        new: "field".into(),
    }
}

#[cache_evict(key = "versioned:{id}")]
async fn write(source: &Source, id: u64) -> u64 {
    let _ = id;
    source.commit(KEY).await
}

async fn ask_old(cache: &Cache, source: &Source) -> (u64, Served) {
    let (value, served) = cache.as_current(traced(old(source, 7))).await;
    (value.number, served.expect("the call was annotated"))
}

async fn ask_new(cache: &Cache, source: &Source) -> (u64, Served) {
    let (value, served) = cache.as_current(traced(new(source, 7))).await;
    (value.number, served.expect("the call was annotated"))
}

async fn version_in_redis(cache: &Cache) -> Option<u32> {
    cache
        .inspect(&Key::new(KEY))
        .await?
        .redis
        .map(|stored| stored.version)
}

#[tokio::test]
async fn old_build_never_overwrites_the_new_ones_entry() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (older, newer, source) = (
        process(&server).await,
        process(&server).await,
        origin.source(),
    );
    assert_eq!(ask_old(&older, &source).await, (1, Served::Loaded));
    assert_eq!(version_in_redis(&older).await, Some(1));
    assert_eq!(ask_new(&newer, &source).await, (1, Served::Loaded));
    assert_eq!(
        version_in_redis(&older).await,
        Some(2),
        "a newer one overwrites an older one"
    );
    let another_old = process(&server).await;
    assert_eq!(ask_old(&another_old, &source).await, (1, Served::Loaded));
    assert_eq!(
        version_in_redis(&older).await,
        Some(2),
        "and not the other way round"
    );
    assert_eq!(
        ask_old(&another_old, &source).await,
        (1, Served::Memory),
        "it keeps its own value in memory"
    );
}

#[tokio::test]
async fn two_builds_that_alternate_load_once_each() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (older, newer, source) = (
        process(&server).await,
        process(&server).await,
        origin.source(),
    );
    for _ in 0..20 {
        assert_eq!(ask_old(&older, &source).await.0, 1);
        assert_eq!(ask_new(&newer, &source).await.0, 1);
    }
    assert_eq!(origin.loads(KEY), 2);
    // The new build's other processes find its entry, whatever the old build does.
    assert_eq!(
        ask_new(&process(&server).await, &source).await,
        (1, Served::Redis)
    );
    assert_eq!(older.stats().total.redis_errors, 0);
}

/// Neither remembers anything itself, so that Redis alone answers.
async fn builds_without_memory(server: &RedisServer) -> (Cache, Cache) {
    let build = async || connected(builder(server).no_memory()).await;
    (build().await, build().await)
}

#[tokio::test]
async fn eviction_by_either_build_removes_both_versions() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (older, newer) = builds_without_memory(&server).await;
    let source = origin.source();
    for evicting in [&older, &newer] {
        ask_old(&older, &source).await;
        ask_new(&newer, &source).await;
        assert_eq!(ask_new(&newer, &source).await.1, Served::Redis);
        let written = evicting.as_current(write(&source, 7)).await;
        assert!(!has(&server, &value_of(KEY)).await);
        assert_eq!(ask_new(&newer, &source).await.0, written);
        assert_eq!(ask_old(&older, &source).await.0, written);
        older.evict(Evict::key(Key::new(KEY))).await.unwrap();
        assert!(!has(&server, &value_of(KEY)).await);
    }
}

#[tokio::test]
async fn own_version_in_memory_goes_with_the_eviction_too() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (older, newer, source) = (
        process(&server).await,
        process(&server).await,
        origin.source(),
    );
    ask_new(&newer, &source).await;
    ask_old(&older, &source).await;
    let written = older.as_current(write(&source, 7)).await;
    assert_eq!(ask_old(&older, &source).await, (written, Served::Loaded));
    assert_eq!(
        ask_new(&connected(builder(&server)).await, &source).await,
        (written, Served::Loaded)
    );
}

#[tokio::test]
async fn forced_refresh_of_the_old_build_leaves_the_new_ones_entry() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (older, newer, source) = (
        process(&server).await,
        process(&server).await,
        origin.source(),
    );
    ask_new(&newer, &source).await;
    let refreshed = older.as_current(refresh(old(&source, 7))).await;
    assert_eq!(refreshed, V1 { number: 1 });
    assert_eq!(origin.loads(KEY), 2, "it was loaded");
    assert_eq!(version_in_redis(&older).await, Some(2));
    assert_eq!(ask_old(&older, &source).await, (1, Served::Memory));
}

#[cache_put(key = "versioned:{id}", version = 1, ttl = "10m")]
async fn save_old(source: &Source, id: u64) -> V1 {
    let _ = id;
    V1 {
        number: source.commit(KEY).await,
    }
}

#[tokio::test]
async fn put_of_the_old_build_removes_the_new_ones_entry_and_does_not_take_its_place() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (older, newer) = builds_without_memory(&server).await;
    let source = origin.source();
    ask_new(&newer, &source).await;
    let saved = older.as_current(save_old(&source, 7)).await;
    assert_eq!(version_in_redis(&older).await, None);
    assert_eq!(
        ask_new(&newer, &source).await,
        (saved.number, Served::Loaded)
    );
}

#[tokio::test]
async fn damaged_entry_of_the_new_build_does_not_bar_the_old_ones() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (newer, source) = (process(&server).await, origin.source());
    let older = connected(builder(&server).no_memory()).await;
    assert_eq!(ask_new(&newer, &source).await, (1, Served::Loaded));
    let Resp::Bulk(mut bytes) = server.cli(&["GET", &value_of(KEY)]).await else {
        panic!("the entry is a string")
    };
    *bytes.last_mut().expect("an entry is not empty") ^= 1;
    server
        .cli(&[b"SET".to_vec(), value_of(KEY).into_bytes(), bytes])
        .await;
    assert_eq!(ask_old(&older, &source).await, (1, Served::Loaded));
    assert_eq!(
        ask_old(&older, &source).await,
        (1, Served::Redis),
        "what damaged bytes say of their version means nothing"
    );
    assert_eq!(version_in_redis(&older).await, Some(1));
}
