//! Keys of secret arguments: distinct, digested, and nowhere in plain text.

use cache_runtime::{Cache, Evict, Key, cacheable, key};
use tests::caches::{build, builder, in_memory};
use tests::origin::Origin;

#[cacheable(key = "session:{token}:{id}", secret(token), ttl = "1h")]
async fn session(origin: &Origin, token: &str, id: u64) -> u64 {
    origin.run().await
}

#[cacheable(secret(token), skip(origin), ttl = "1h")]
async fn secret_by_default(origin: &Origin, token: String, id: u64) -> u64 {
    origin.run().await
}

async fn is_stored(cache: &Cache, key: &Key) -> bool {
    cache.inspect(key).await.is_some()
}

#[tokio::test]
async fn a_secret_argument_tells_entries_apart_and_appears_nowhere() {
    for secret in [None, Some("sixteen bytes and more")] {
        let builder = builder();
        let cache = build(
            secret
                .into_iter()
                .fold(builder, cache_runtime::CacheBuilder::key_secret),
        );
        let origin = Origin::open();
        let call = |token: &'static str| cache.as_current(session(&origin, token, 7));
        assert_eq!(
            (
                call("hunter2").await,
                call("hunter3").await,
                call("hunter2").await
            ),
            (1, 2, 1)
        );
        let token = "hunter2";
        assert!(
            !is_stored(&cache, &key!("session:{token}:{7}")).await,
            "the plain text is not the key"
        );
        assert!(!is_stored(&cache, &Key::new("session:hunter2:7")).await);
        cache.evict(Evict::pattern("*hunter*")).await.unwrap();
        assert_eq!(call("hunter2").await, 1);
        // 128 bits in hexadecimal stand in its place.
        cache
            .evict(Evict::pattern(format!(
                "session:{}:8",
                "[0-9a-f]".repeat(32)
            )))
            .await
            .unwrap();
        assert_eq!(call("hunter2").await, 1);
        cache
            .evict(Evict::pattern(format!(
                "session:{}:7",
                "[0-9a-f]".repeat(32)
            )))
            .await
            .unwrap();
        assert_eq!(call("hunter2").await, 3);
        assert!(!format!("{cache:?} {:?} {:?}", cache.stats(), cache.health()).contains("hunter"));
    }
}

#[tokio::test]
async fn a_secret_enters_a_default_key_as_a_digest() {
    let (cache, origin) = (in_memory(), Origin::open());
    let call = |token: &str| cache.as_current(secret_by_default(&origin, token.to_owned(), 7));
    assert_eq!(
        (
            call("hunter2").await,
            call("hunter3").await,
            call("hunter2").await
        ),
        (1, 2, 1)
    );
    assert!(
        !is_stored(
            &cache,
            &Key::new("memory.secret_keys.secret_by_default:hunter2:7")
        )
        .await
    );
    let pattern = format!("memory.secret_keys.secret_by_default:{}:7", "?".repeat(32));
    cache.evict(Evict::pattern(pattern)).await.unwrap();
    assert_eq!(call("hunter2").await, 3);
}
