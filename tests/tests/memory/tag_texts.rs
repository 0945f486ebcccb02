//! A tag is its text: whichever way it is spelled, for an entry or for an eviction, it is the same tag.

use cache_runtime::{Cache, Evict, Key, Policy, cache_evict, cacheable};
use serde::{Deserialize, Serialize};
use tests::caches::in_memory;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Book {
    author: String,
}

fn by(author: &str) -> Book {
    Book {
        author: author.to_owned(),
    }
}

#[cacheable(key = "by argument", tags = ["author:{author}"])]
async fn by_argument(author: &str) -> Book {
    by(author)
}

#[cacheable(key = "by value", tags = ["author:{result.author}"])]
async fn by_value(author: &str) -> Book {
    by(author)
}

#[cacheable(key = "by function", tags_from = |book| vec![format!("author:{}", book.author)])]
async fn by_function(author: &str) -> Book {
    by(author)
}

#[cache_evict(tags = ["author:{author}"])]
async fn evict_by_argument(author: &str) {}

#[cache_evict(tags = "author:{result.author}")]
async fn evict_by_value(author: &str) -> Book {
    by(author)
}

const WAYS: [&str; 4] = ["by argument", "by value", "by function", "by hand"];

/// An entry for each way to tag one.
async fn fill(cache: &Cache, author: &str) {
    cache.as_current(by_argument(author)).await;
    cache.as_current(by_value(author)).await;
    cache.as_current(by_function(author)).await;
    let policy = Policy::new().tags([format!("author:{author}")]);
    cache
        .put(&Key::new("by hand"), by(author), &policy)
        .await
        .expect("nothing comes between");
    assert_eq!(left(cache).await, WAYS);
}

async fn left(cache: &Cache) -> Vec<&'static str> {
    let mut left = Vec::new();
    for way in WAYS {
        if cache.get::<Book>(&Key::new(way)).await.is_some() {
            left.push(way);
        }
    }
    left
}

#[tokio::test]
async fn every_spelling_reaches_every_other() {
    let cache = in_memory();
    let long = "x".repeat(600);
    let long_in_parts = format!("{}:{}", "x".repeat(300), "y ".repeat(150));
    for author in [
        "7",
        "urn:x",
        "",
        "a b",
        "100%",
        "a%3Ab",
        "'",
        "~",
        "(a,b=c)",
        "#all",
        "*?[a-z]{}\\",
        "line\nbreak\u{2028}",
        "é漢🦀",
        &long,
        &long_in_parts,
    ] {
        fill(&cache, author).await;
        cache.as_current(evict_by_argument(author)).await;
        assert_eq!(left(&cache).await, [""; 0], "by argument: {author:?}");
        fill(&cache, author).await;
        cache.as_current(evict_by_value(author)).await;
        assert_eq!(left(&cache).await, [""; 0], "by value: {author:?}");
        fill(&cache, author).await;
        let tag = format!("author:{author}");
        cache.evict(Evict::tag(&tag)).await.unwrap();
        assert_eq!(left(&cache).await, [""; 0], "by hand: {author:?}");
    }
}

#[tokio::test]
async fn tags_of_other_texts_are_others() {
    let cache = in_memory();
    fill(&cache, "urn:x").await;
    for author in ["urn", "urn%3Ax", "urn:X", "urn: x", ""] {
        cache.as_current(evict_by_argument(author)).await;
        cache
            .evict(Evict::tag(format!("author:{author}")))
            .await
            .unwrap();
    }
    assert_eq!(left(&cache).await, WAYS);
}

#[tokio::test]
async fn nothing_is_an_empty_text() {
    #[cacheable(key = "roster", tags = ["team:{team}"])]
    async fn roster(team: Option<&str>) -> Book {
        by(team.unwrap_or_default())
    }
    #[cache_evict(tags = "team:{team}")]
    async fn evict_team(team: Option<&str>) {}
    let cache = in_memory();
    let is_stored = async || cache.get::<Book>(&Key::new("roster")).await.is_some();
    for team in [None, Some("")] {
        cache.as_current(roster(team)).await;
        assert!(is_stored().await);
        cache.evict(Evict::tag("team:")).await.unwrap();
        assert!(!is_stored().await, "by hand: {team:?}");
        cache.as_current(roster(team)).await;
        cache.as_current(evict_team(None)).await;
        assert!(!is_stored().await, "by argument: {team:?}");
    }
}
