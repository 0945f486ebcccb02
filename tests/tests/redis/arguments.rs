//! Arguments full of everything that means something to keys, globs, hash tags and the wire: against a real server.

use std::collections::HashSet;

use cache_runtime::{Served, cache_evict, cacheable, traced};
use tests::scenarios::origin::{End, Origin, Source};
use tests::scenarios::processes::{builder, connected, keys, process};
use tests::server::RedisServer;

const NASTY: [&str; 30] = [
    "",
    " ",
    "a",
    "A",
    "a:b",
    "a:",
    ":a",
    ":",
    "*",
    "a*",
    "?",
    "[a]",
    "[^a]",
    "[!a-z]",
    "{",
    "}",
    "{}",
    "{a}",
    "}{",
    "%",
    "%2A",
    "%3A",
    "\r\n",
    "a\r\nFLUSHALL\r\n",
    "\0",
    "a\0b",
    "ä",
    "a\u{308}",
    "🦀",
    "\\*",
];

#[cacheable(key = "echo:{one}:{two}")]
async fn echo(one: &str, two: &str) -> (String, String) {
    (one.to_owned(), two.to_owned())
}

#[cache_evict(pattern = "echo:{one}:*")]
async fn forget(one: &str) {
    let _ = one;
}

#[cache_evict(key = "echo:{one}:{two}")]
async fn forget_one(one: &str, two: &str) {
    let _ = (one, two);
}

/// The part of a key that Redis Cluster hashes: between the first `{` and the first `}` after it, if there is any.
fn hash_tag(key: &str) -> &str {
    key.split_once('{')
        .and_then(|(_, rest)| rest.split_once('}'))
        .map(|(tag, _)| tag)
        .filter(|tag| !tag.is_empty())
        .unwrap_or(key)
}

#[tokio::test]
async fn every_argument_has_a_key_and_a_slot_of_its_own() {
    let server = RedisServer::start().await;
    let (one, other) = (process(&server).await, process(&server).await);
    for argument in NASTY {
        let expected = (argument.to_owned(), "x".to_owned());
        let loaded = one.as_current(traced(echo(argument, "x"))).await;
        assert_eq!(
            loaded,
            (expected.clone(), Some(Served::Loaded)),
            "{argument:?}"
        );
    }
    for argument in NASTY {
        let read = other.as_current(traced(echo(argument, "x"))).await;
        assert_eq!(
            read,
            ((argument.to_owned(), "x".to_owned()), Some(Served::Redis)),
            "{argument:?}"
        );
    }
    let keys = keys(&server).await;
    assert_eq!(keys.len(), NASTY.len());
    assert_eq!(
        keys.iter()
            .map(|key| hash_tag(key))
            .collect::<HashSet<_>>()
            .len(),
        NASTY.len()
    );
    assert!(
        keys.iter()
            .all(|key| !key.contains(|c: char| c.is_control() || c.is_whitespace())),
        "{keys:?}"
    );
    for key in &keys {
        // What is left are the separator, the escape, and the marker of an empty string.
        let raw = hash_tag(key)
            .chars()
            .filter(|c| "*?[]{}\\#,()=~".contains(*c));
        assert_eq!(raw.count(), 0, "{key}");
    }
}

#[tokio::test]
async fn arguments_that_look_like_two_are_one() {
    let server = RedisServer::start().await;
    let cache = process(&server).await;
    for (one, two) in [
        ("a:b", "c"),
        ("a", "b:c"),
        ("a", "b"),
        ("a:b:c", ""),
        ("", "a:b:c"),
    ] {
        let expected = (one.to_owned(), two.to_owned());
        assert_eq!(
            cache.as_current(traced(echo(one, two))).await,
            (expected, Some(Served::Loaded))
        );
    }
    assert_eq!(keys(&server).await.len(), 5);
}

#[tokio::test]
async fn pattern_with_an_argument_never_hits_a_neighbour() {
    let server = RedisServer::start().await;
    let cache = process(&server).await;
    let fill = async || {
        for argument in NASTY {
            for two in ["x", "*"] {
                cache.as_current(echo(argument, two)).await;
            }
        }
    };
    fill().await;
    for argument in NASTY {
        assert_eq!(keys(&server).await.len(), 2 * NASTY.len());
        cache.as_current(forget(argument)).await;
        assert_eq!(
            keys(&server).await.len(),
            2 * NASTY.len() - 2,
            "{argument:?}"
        );
        for two in ["x", "*"] {
            let served = cache.as_current(traced(echo(argument, two))).await.1;
            assert_eq!(served, Some(Served::Loaded), "{argument:?}");
        }
    }
    // And what a key names is that key alone.
    for argument in NASTY {
        cache.as_current(forget_one(argument, "*")).await;
        assert_eq!(
            keys(&server).await.len(),
            2 * NASTY.len() - 1,
            "{argument:?}"
        );
        cache.as_current(echo(argument, "*")).await;
    }
    fill().await;
    let misses = cache.stats().total.misses;
    assert_eq!(
        misses,
        5 * NASTY.len() as u64,
        "nobody was evicted beside those who were meant"
    );
}

#[cacheable(key = "echo:{argument}", l1 = false)]
async fn held(argument: &str, source: &Source) -> u64 {
    source.load("held").await.expect("the origin is up")
}

#[tokio::test]
async fn value_and_lease_share_the_hash_tag() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let cache = connected(builder(&server)).await;
    for (number, argument) in (1..).zip(NASTY) {
        origin.hold(1);
        let source = origin.source();
        let load = cache.as_current(held(argument, &source));
        let look = async {
            origin.begun("held", number).await;
            let leases = server.cli(&["KEYS", "*:lease"]).await.list();
            origin.release(End::Value);
            leases
        };
        let (_, leases) = tokio::join!(load, look);
        assert_eq!(leases.len(), 1, "{argument:?}");
        let values = keys(&server).await;
        assert_eq!(values.len(), 1, "{argument:?}: {values:?}");
        assert_eq!(hash_tag(&leases[0]), hash_tag(&values[0]), "{argument:?}");
        assert_ne!(
            hash_tag(&values[0]),
            values[0],
            "{argument:?}: there is a tag"
        );
        server.cli(&["FLUSHALL"]).await;
    }
}

#[cacheable(key = "{argument}")]
async fn bare(argument: &str) -> String {
    argument.to_owned()
}

#[tokio::test]
async fn key_made_of_nothing_but_an_argument_is_an_entry_like_any_other() {
    let server = RedisServer::start().await;
    let (one, other) = (process(&server).await, process(&server).await);
    for argument in NASTY {
        one.as_current(bare(argument)).await;
        let read = other.as_current(traced(bare(argument))).await;
        assert_eq!(
            read,
            (argument.to_owned(), Some(Served::Redis)),
            "{argument:?}"
        );
    }
    assert_eq!(keys(&server).await.len(), NASTY.len());
}
