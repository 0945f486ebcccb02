//! `Cache::evict`: what is evicted by hand, together or not at all.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{ErrorKind, Evict, Key, key};
use tests::caches::in_memory;
use tests::entries::{fill, left};

#[tokio::test]
async fn evictions_by_hand_compose() {
    let keys = [
        "product:1",
        "product:2",
        "product:3",
        "list:1",
        "list:2",
        "other",
    ];
    let cache = in_memory();
    fill(&cache, &keys).await;
    let id = 1;
    let what = Evict::key(key!("product:{id}"))
        .hold(Duration::from_secs(1))
        .and(Evict::keys([Key::new("product:2"), Key::new("nothing")]))
        .and(Evict::pattern("list:*"));
    cache.evict(what).await.unwrap();
    assert_eq!(
        left(&cache, &keys).await.into_iter().collect::<Vec<_>>(),
        ["other", "product:3"]
    );
    cache.evict(Evict::all()).await.unwrap();
    assert_eq!(left(&cache, &keys).await.len(), 0);
}

#[tokio::test]
async fn a_hold_of_what_cannot_be_held_is_an_error_and_evicts_nothing() {
    let cache = in_memory();
    fill(&cache, &["product:1"]).await;
    for what in [Evict::pattern("product*"), Evict::pattern("*:1")] {
        let what = what
            .and(Evict::key(Key::new("product:1")))
            .hold(Duration::from_secs(1));
        assert_eq!(
            cache.evict(what).await.unwrap_err().kind(),
            ErrorKind::Invalid
        );
    }
    assert_eq!(left(&cache, &["product:1"]).await.len(), 1);
}

#[tokio::test]
async fn a_key_that_cannot_be_rendered_evicts_its_region() {
    #[derive(serde::Serialize)]
    struct Broken(#[serde(serialize_with = "fail")] u8);
    fn fail<S: serde::Serializer>(_: &u8, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("never serializes"))
    }
    let cache = Arc::new(in_memory());
    fill(&cache, &["product:1", "product:x:2", "other:1"]).await;
    let broken = Broken(1);
    cache.evict(key!("product:{broken}")).await.unwrap();
    assert_eq!(
        left(&cache, &["product:1", "product:x:2", "other:1"])
            .await
            .into_iter()
            .collect::<Vec<_>>(),
        ["other:1"]
    );
}
