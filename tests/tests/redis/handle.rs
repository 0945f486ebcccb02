//! Commands and scripts of others over a cache's connection: [`Cache::redis`].

use std::time::{Duration, Instant};

use cache_runtime::{Cache, ErrorKind, Evict, Key, Policy, RedisHandle, RedisReply, RedisScript};
use tests::eventually;
use tests::scenarios::processes::{connected, of_url, process};
use tests::server::cluster::{Cluster, slot_of};
use tests::server::{RedisServer, Sentinels};

/// KEYS: two counters. ARGV: what is added. Reply: both sums, a text, nothing.
static ADD: RedisScript = RedisScript::new(
    "local sums = {}
     for i, key in ipairs(KEYS) do sums[i] = redis.call('INCRBY', key, ARGV[1]) end
     sums[#sums + 1] = ARGV[2]
     sums[#sums + 1] = false
     return sums",
);

/// Far beyond a budget of 100 ms on a busy machine, and far less than a caller that hangs on a socket.
const SOON: Duration = Duration::from_secs(10);

fn redis(cache: &Cache) -> RedisHandle {
    cache.redis().expect("the cache has a Redis")
}

async fn add(redis: &RedisHandle, slot: &str) -> RedisReply {
    let (one, other) = (redis.key("one", slot), redis.key("other", slot));
    let answer = redis.script(&ADD, &[&one, &other], &[b"2", b"text"]).await;
    answer.unwrap_or_else(|error| panic!("{error}"))
}

fn sums(one: i64, other: i64) -> RedisReply {
    RedisReply::List(vec![
        RedisReply::Int(one),
        RedisReply::Int(other),
        RedisReply::Bytes("text".into()),
        RedisReply::Nil,
    ])
}

#[tokio::test]
async fn commands_and_scripts_are_answered_and_errors_told_in_the_words_of_the_server() {
    let server = RedisServer::start().await;
    let cache = process(&server).await;
    let redis = redis(&cache);
    let key = redis.key("text", "a");
    let set: [&[u8]; 3] = [b"SET", key.as_bytes(), b"\0\r\n\xff"];
    let set = redis.command(&key, &set).await.unwrap();
    assert_eq!(set.as_bytes().unwrap(), "OK");
    let got = redis.command(&key, &[b"GET", key.as_bytes()]).await;
    assert_eq!(&got.unwrap().as_bytes().unwrap()[..], b"\0\r\n\xff");
    let none = redis.command(&key, &[b"GET", b"nothing"]).await.unwrap();
    assert_eq!(none, RedisReply::Nil);

    let wrong = redis.command(&key, &[b"LPUSH", key.as_bytes(), b"a"]).await;
    let wrong = wrong.unwrap_err();
    assert_eq!(
        (wrong.kind(), wrong.is_transient()),
        (ErrorKind::Refused, false)
    );
    assert!(wrong.to_string().contains("WRONGTYPE"), "{wrong}");
    static BROKEN: RedisScript = RedisScript::new("return redis.error_reply('MINE because')");
    let broken = redis.script(&BROKEN, &[&key], &[]).await.unwrap_err();
    assert_eq!(broken.kind(), ErrorKind::Refused);
    assert!(broken.to_string().contains("MINE because"), "{broken}");
    for words in [&[][..], &[&b"MULTI"[..]]] {
        let refused = redis.command(&key, words).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Invalid);
    }
    let nowhere = redis.script(&ADD, &[], &[]).await.unwrap_err();
    assert_eq!(nowhere.kind(), ErrorKind::Invalid);

    // A server that has lost its scripts gets the text, once.
    assert_eq!(add(&redis, "a").await, sums(2, 2));
    assert_eq!(server.cli(&["SCRIPT", "FLUSH"]).await.text(), "OK");
    assert_eq!(add(&redis, "a").await, sums(4, 4));
    let mut monitor = server.monitor().await;
    assert_eq!(add(&redis, "a").await, sums(6, 6));
    let seen = tests::scenarios::processes::names(&mut monitor).await;
    assert!(seen.iter().any(|name| name == "EVALSHA"), "{seen:?}");
    assert!(!seen.iter().any(|name| name == "EVAL"), "{seen:?}");

    // What was refused is an error of the site `redis`, and what made no sense is none.
    let stats = cache.stats().sites["redis"].clone();
    assert_eq!((stats.redis_errors, stats.redis_timeouts), (2, 0));
    cache.close(SOON).await;
    let closed = redis.command(&key, &[b"GET", b"a"]).await.unwrap_err();
    assert_eq!(closed.kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn what_others_keep_is_in_the_caches_namespace_and_no_eviction_touches_it() {
    let server = RedisServer::start().await;
    let cache = process(&server).await;
    let redis = redis(&cache);
    let texts = ["", "a", "product:7", "a}:lease", "*", "#sites", ":hold"];
    let mut keys = Vec::new();
    for kind in texts {
        for slot in texts {
            let key = redis.key(kind, slot);
            assert!(key.starts_with(&format!("{}:", cache.name())), "{key}");
            let set = redis.command(&key, &[b"SET", key.as_bytes(), b"x"]).await;
            set.unwrap();
            keys.push(key);
        }
    }
    assert_eq!(
        server
            .cli(
                &["EXISTS"]
                    .map(str::to_owned)
                    .into_iter()
                    .chain(keys.clone())
                    .collect::<Vec<_>>()
            )
            .await
            .int(),
        49
    );
    for text in texts {
        cache
            .put(&Key::new(text), 1_u64, &Policy::new())
            .await
            .unwrap();
    }
    for evict in [
        Evict::pattern("*7"),
        Evict::pattern("*"),
        Evict::region("product"),
        Evict::tag("a"),
        Evict::scope("a"),
        Evict::keys(texts.map(Key::new)),
        Evict::all(),
    ] {
        cache.evict(evict).await.unwrap();
    }
    // What is dead is swept away in the background: the entries go, and nothing else does.
    eventually::holds("the sweep is over", async || {
        server
            .cli(&["EXISTS", &format!("{}:{{product:7}}", cache.name())])
            .await
            .int()
            == 0
    })
    .await;
    for key in &keys {
        assert_eq!(server.cli(&["EXISTS", key]).await.int(), 1, "{key}");
    }
    // And an entry of the name of one is another.
    for key in &keys {
        assert_eq!(cache.get::<u64>(&Key::new(key)).await, None);
    }
}

#[tokio::test]
async fn a_server_that_is_stopped_or_gone_costs_a_budget_at_most_and_is_told_apart() {
    let server = RedisServer::start().await;
    let cache = connected(of_url(&server.url())).await;
    let redis = redis(&cache);
    let key = redis.key("a", "a");
    server.stop();
    let began = Instant::now();
    let silent = redis.command(&key, &[b"INCR", key.as_bytes()]).await;
    let silent = silent.unwrap_err();
    assert_eq!(
        (silent.kind(), silent.is_transient()),
        (ErrorKind::Timeout, true)
    );
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    // The breaker opens, and from then on nobody waits.
    eventually::holds("the link is known to be down", async || {
        let down = redis.command(&key, &[b"INCR", key.as_bytes()]).await;
        let down = down.unwrap_err();
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
        down.kind() == ErrorKind::Unavailable
    })
    .await;
    let stats = cache.stats().sites["redis"].clone();
    assert!(stats.redis_timeouts >= 1 && stats.redis_errors > stats.redis_timeouts);

    server.cont();
    eventually::holds("it is used again", async || {
        redis
            .command(&key, &[b"INCR", key.as_bytes()])
            .await
            .is_ok()
    })
    .await;
    server.kill();
    eventually::holds("it is known to be gone", async || {
        let gone = redis.command(&key, &[b"GET", b"a"]).await;
        gone.is_err_and(|error| error.kind() == ErrorKind::Unavailable)
    })
    .await;
}

#[tokio::test]
async fn in_a_cluster_each_call_goes_to_its_slot_and_follows_it() {
    let cluster = Cluster::start().await;
    let url = cluster.url();
    let cache = connected(of_url(&url).redis_budget(Duration::from_secs(5))).await;
    let redis = redis(&cache);
    let slots = ["a", "b", "c", "d:e", "f}g"];
    let places: std::collections::BTreeSet<_> = slots
        .iter()
        .map(|slot| cluster.shard_of(&redis.key("one", slot)))
        .collect();
    assert!(places.len() > 1, "the slots are of several primaries");
    for slot in slots {
        let (one, other) = (redis.key("one", slot), redis.key("other", slot));
        assert_eq!(slot_of(&one), slot_of(&other));
        assert_eq!(add(&redis, slot).await, sums(2, 2));
        let got = redis.command(&one, &[b"GET", one.as_bytes()]).await;
        assert_eq!(got.unwrap().as_int(), Some(2));
    }

    // A slot that moves: who still thinks it is where it was is sent on, with a script that the other does not know.
    let key = redis.key("one", "a");
    let (slot, from) = (slot_of(&key), cluster.shard_of(&key));
    let to = &cluster.nodes()[(from + 1) % 3];
    to.server.cli(&["SCRIPT", "FLUSH"]).await;
    let migration = cluster.begin_migration(slot, to).await;
    migration.move_keys(&[&key, &redis.key("other", "a")]).await;
    assert_eq!(add(&redis, "a").await, sums(4, 4), "by ASK");
    migration.finish().await;
    assert_eq!(
        add(&redis, "a").await,
        sums(6, 6),
        "by MOVED, or by the new map"
    );
    assert_eq!(add(&redis, "a").await, sums(8, 8));

    let everywhere = [redis.key("one", "a"), redis.key("one", "b")];
    let [one, other] = &everywhere;
    assert_ne!(slot_of(one), slot_of(other));
    let torn = redis.script(&ADD, &[one, other], &[b"1", b""]).await;
    let torn = torn.unwrap_err();
    assert!(torn.to_string().contains("CROSSSLOT"), "{torn}");
}

#[tokio::test]
async fn under_sentinels_the_next_primary_is_spoken_to() {
    let all = Sentinels::start().await;
    let url = all.url();
    let cache = connected(of_url(&url).redis_budget(Duration::from_secs(5))).await;
    let redis = redis(&cache);
    assert_eq!(add(&redis, "a").await, sums(2, 2));
    let new = all.fail_over().await;
    let key = redis.key("marker", "a");
    eventually::holds("a write arrives at the new primary", async || {
        let _ = redis.command(&key, &[b"SET", key.as_bytes(), b"x"]).await;
        new.cli(&["EXISTS", &key]).await.int() == 1
    })
    .await;
}
