//! Keys as callers meet them: different arguments are different entries, whatever is in them.

use cache_runtime::{Cache, Evict, Key, Policy, Served, Why, cache_evict, cacheable, key, traced};
use serde::Serialize;
use tests::caches::{build, builder, in_memory};
use tests::origin::Origin;

const POLICY: Policy = Policy::new();

/// Texts that mean something to keys, globs, Redis, JSON or terminals.
const WEIRD: [&str; 34] = [
    "", " ", ":", "::", "*", "?", "[a]", "[", "]", "{", "}", "{x}", "%", "%3A", "%25", "\\",
    "\r\n", "\0", "\t", "#", ",", "(", ")", "=", "~", "'", "''", "a:b", "a%b", "ä", "日本", "🦀",
    "\u{202e}", "\u{a0}",
];

#[cacheable(key = "pair:{a}:{b}", ttl = "1h")]
async fn pair(a: &str, b: &str) -> (String, String) {
    (a.to_owned(), b.to_owned())
}

#[cacheable(ttl = "1h")]
async fn by_default(a: &str, b: &str) -> (String, String) {
    (a.to_owned(), b.to_owned())
}

#[cacheable(ttl = "1h", skip(origin, verbose))]
async fn skipping(origin: &Origin, id: u64, verbose: bool) -> (u64, bool) {
    (origin.run().await, verbose)
}

#[cache_evict(key = "pair:{a}:{b}")]
async fn forget(a: &str, b: &str) {}

#[cache_evict(pattern = "pair:{a}:*")]
async fn forget_first(a: &str) {}

#[cacheable(key = "long:{text}", ttl = "1h")]
async fn long(text: &str) -> String {
    text.to_owned()
}

#[derive(Serialize)]
struct Broken(#[serde(serialize_with = "never")] u8);

fn never<S: serde::Serializer>(_: &u8, _: S) -> Result<S::Ok, S::Error> {
    Err(serde::ser::Error::custom("it never serializes"))
}

#[cacheable(key = "broken:{broken}", ttl = "1h")]
async fn by_broken(origin: &Origin, broken: &Broken) -> u64 {
    origin.run().await
}

#[cacheable(key = "shared:{slug}", ttl = "1h")]
async fn by_slug(slug: &str) -> String {
    format!("slug {slug}")
}

#[cacheable(key = "shared:featured", ttl = "1h")]
async fn featured() -> String {
    "featured".to_owned()
}

fn pairs() -> impl Iterator<Item = (&'static str, &'static str)> {
    WEIRD
        .iter()
        .flat_map(|a| WEIRD.iter().map(move |b| (*a, *b)))
}

async fn is_stored(cache: &Cache, key: &Key) -> bool {
    cache.inspect(key).await.is_some()
}

#[tokio::test]
async fn weird_arguments_are_distinct_entries() {
    let cache = in_memory();
    let calls = async {
        for (a, b) in pairs() {
            let own = (a.to_owned(), b.to_owned());
            assert_eq!(
                traced(pair(a, b)).await,
                (own.clone(), Some(Served::Loaded)),
                "{a:?} {b:?}"
            );
            assert_eq!(
                traced(by_default(a, b)).await,
                (own, Some(Served::Loaded)),
                "{a:?} {b:?}"
            );
        }
        for (a, b) in pairs() {
            let own = (a.to_owned(), b.to_owned());
            assert_eq!(
                traced(pair(a, b)).await,
                (own.clone(), Some(Served::Memory))
            );
            assert_eq!(traced(by_default(a, b)).await, (own, Some(Served::Memory)));
        }
    };
    cache.as_current(calls).await;
}

#[tokio::test]
async fn an_eviction_by_weird_arguments_reaches_no_neighbour() {
    let cache = in_memory();
    for (a, b) in pairs() {
        cache.as_current(pair(a, b)).await;
    }
    for gone in WEIRD {
        cache.as_current(forget(gone, gone)).await;
        for (a, b) in pairs() {
            let stored = is_stored(&cache, &key!("pair:{a}:{b}")).await;
            assert_eq!(stored, (a, b) != (gone, gone), "{gone:?}: {a:?} {b:?}");
        }
        cache.as_current(pair(gone, gone)).await;
    }
    for gone in WEIRD {
        cache.as_current(forget_first(gone)).await;
        for (a, b) in pairs() {
            assert_eq!(
                is_stored(&cache, &key!("pair:{a}:{b}")).await,
                a != gone,
                "{gone:?}: {a:?} {b:?}"
            );
        }
        for (a, b) in pairs().filter(|(a, _)| *a == gone) {
            cache.as_current(pair(a, b)).await;
        }
    }
}

#[tokio::test]
async fn key_names_the_entry_of_the_attribute() {
    let cache = in_memory();
    for (a, b) in pairs() {
        cache.as_current(pair(a, b)).await;
        let key = key!("pair:{a}:{b}");
        assert_eq!(cache.get(&key).await, Some((a.to_owned(), b.to_owned())));
        assert!(key.as_str().is_ascii() || a.chars().chain(b.chars()).any(|c| !c.is_ascii()));
        assert!(
            !key.as_str()
                .contains(|c: char| c.is_control() || c.is_whitespace() || "*?[]{}\\".contains(c)),
            "{key}"
        );
        cache.evict(key.clone()).await.unwrap();
        assert!(!is_stored(&cache, &key).await);
    }
}

#[tokio::test]
async fn a_default_key_is_the_path_and_every_argument_that_is_not_skipped() {
    let (cache, origin) = (in_memory(), Origin::open());
    cache.as_current(by_default("a", "b")).await;
    assert!(is_stored(&cache, &Key::new("memory.keys.by_default:a:b")).await);
    assert_eq!(
        cache.as_current(skipping(&origin, 7, true)).await,
        (1, true)
    );
    assert_eq!(
        cache.as_current(skipping(&origin, 7, false)).await,
        (1, true)
    );
    assert_eq!(
        cache.as_current(skipping(&origin, 8, false)).await,
        (2, false)
    );
    assert!(is_stored(&cache, &Key::new("memory.keys.skipping:7")).await);
}

#[tokio::test]
async fn keys_beyond_512_bytes_are_digested_and_distinct() {
    let cache = in_memory();
    let texts: Vec<String> = (0..50)
        .map(|n| format!("{}{n}", "x".repeat(600)))
        .chain(["x".repeat(600)])
        .collect();
    for text in &texts {
        assert_eq!(cache.as_current(long(text)).await, *text);
    }
    for text in &texts {
        assert_eq!(
            cache.as_current(traced(long(text))).await,
            (text.clone(), Some(Served::Memory))
        );
        let info = cache.inspect(&key!("long:{text}")).await.unwrap();
        assert!(
            info.key.len() <= 512 && info.key.starts_with("long:#"),
            "{}",
            info.key
        );
    }
    // The literal text of a digest is no way to its entry.
    let digest = cache.inspect(&key!("long:{texts[0]}")).await.unwrap().key;
    assert_eq!(cache.get::<String>(&Key::new(&digest)).await, None);
    cache.evict(key!("long:{texts[0]}")).await.unwrap();
    assert!(!is_stored(&cache, &key!("long:{texts[0]}")).await);
    assert!(is_stored(&cache, &key!("long:{texts[1]}")).await);
    cache.evict(Evict::pattern("long:*")).await.unwrap();
    assert!(!is_stored(&cache, &key!("long:{texts[1]}")).await);
}

#[tokio::test]
async fn a_key_that_is_too_long_or_cannot_be_rendered_bypasses_the_cache() {
    let (cache, origin) = (build(builder().max_key_bytes(1_000)), Origin::open());
    let bypassed = Some(Served::Bypassed(Why::Key));
    let text = "x".repeat(1_000);
    let at_most = 1_000 - "long:".len();
    for (length, served) in [
        (1_000, bypassed),
        (at_most + 1, bypassed),
        (at_most, Some(Served::Loaded)),
        (at_most, Some(Served::Memory)),
    ] {
        assert_eq!(
            cache.as_current(traced(long(&text[..length]))).await.1,
            served,
            "{length}"
        );
    }
    for run in 1..=2 {
        assert_eq!(
            cache
                .as_current(traced(by_broken(&origin, &Broken(1))))
                .await,
            (run, bypassed)
        );
    }
    let broken = Broken(1);
    let key = key!("broken:{broken}");
    for value in 1..=2 {
        assert_eq!(
            cache.get_or_load(&key, &POLICY, || async { value }).await,
            value
        );
    }
    assert_eq!(cache.get::<u64>(&key).await, None);
    assert!(cache.put(&key, 1, &POLICY).await.is_err());
}

#[tokio::test]
async fn an_argument_does_not_reach_the_entry_of_another_template() {
    let cache = in_memory();
    for _ in 0..2 {
        assert_eq!(cache.as_current(by_slug("featured")).await, "slug featured");
        assert_eq!(cache.as_current(featured()).await, "featured");
    }
    // A key of one's own belongs to no template and reads either.
    assert_eq!(
        cache
            .get::<String>(&Key::new("shared:featured"))
            .await
            .as_deref(),
        Some("featured")
    );
}
