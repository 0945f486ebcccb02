//! Secret arguments: readers, evictions and puts that agree on the secret speak of one key, and none of them shows it.

use cache_runtime::{Cache, Key, Served, cache_evict, cache_put, cacheable, key, traced};
use tests::caches::{build, builder};
use tests::origin::Origin;

const TOKEN: &str = "hunter2-hunter2";

#[cacheable(key = "session:{token}:{page}", secret(token), ttl = "1h")]
async fn session(origin: &Origin, token: &str, page: u64) -> u64 {
    origin.run().await
}

#[cache_evict(key = "session:{token}:{page}", secret(token))]
async fn forget_page(token: String, page: u64) {
    drop(token);
}

#[cache_evict(pattern = "session:{token}:*", secret(token))]
async fn forget_session(token: String) {
    drop(token);
}

#[cache_evict(key = "session:{token}:{result}", secret(token))]
async fn forget_last(token: String) -> u64 {
    u64::from(token.is_empty()) + 7
}

/// A key in plain text is another key.
#[cache_evict(key = "session:{token}:{page}")]
async fn forget_plain(token: &str, page: u64) {}

#[cache_put(key = "session:{token}:{result}", secret(token))]
async fn store_last(token: String) -> u64 {
    u64::from(token.is_empty()) + 7
}

#[cache_put(key = "session:{token}:{page}", secret(token), ttl = "1h")]
async fn store(token: String, page: u64, value: u64) -> u64 {
    drop(token);
    value
}

/// The key of a page of [`TOKEN`]'s session, for [`cache`]: BLAKE3 under the cache's `key_secret`.
fn digested(page: u64) -> Key {
    Key::new(&format!("session:6c9b0cf8a52e1c7c4c1bc6b505c9fbc1:{page}"))
}

fn cache() -> Cache {
    build(builder().key_secret([7; 32]))
}

/// A cache that holds page 7 of two sessions.
async fn with_sessions(origin: &Origin) -> Cache {
    let cache = cache();
    for (token, run) in [(TOKEN, 1), ("another", 2)] {
        assert_eq!(cache.as_current(session(origin, token, 7)).await, run);
    }
    cache
}

/// Page 7 is loaded again for the token, and not for the other one.
async fn only_the_token_was_reached(cache: &Cache, origin: &Origin) {
    let served = |token| cache.as_current(traced(session(origin, token, 7)));
    assert_eq!(served("another").await.1, Some(Served::Memory));
    assert_eq!(served(TOKEN).await.1, Some(Served::Loaded));
}

#[tokio::test]
async fn an_eviction_with_the_secret_reaches_the_key_of_the_reader() {
    let origin = Origin::open();
    let token = || TOKEN.to_owned();
    let cache = with_sessions(&origin).await;
    cache.as_current(forget_page(token(), 7)).await;
    only_the_token_was_reached(&cache, &origin).await;
    cache.as_current(forget_session(token())).await;
    only_the_token_was_reached(&cache, &origin).await;
    assert_eq!(cache.as_current(forget_last(token())).await, 7);
    only_the_token_was_reached(&cache, &origin).await;
}

#[tokio::test]
async fn a_put_with_the_secret_is_what_the_reader_finds() {
    let (cache, origin) = (cache(), Origin::open());
    assert_eq!(cache.as_current(store(TOKEN.to_owned(), 7, 70)).await, 70);
    assert_eq!(
        cache.as_current(traced(session(&origin, TOKEN, 7))).await,
        (70, Some(Served::Memory))
    );
    assert_eq!(origin.runs(), 0);
}

#[tokio::test]
async fn a_put_whose_key_uses_the_result_evicts_the_key_of_the_reader() {
    let origin = Origin::open();
    let cache = with_sessions(&origin).await;
    assert_eq!(cache.as_current(store_last(TOKEN.to_owned())).await, 7);
    only_the_token_was_reached(&cache, &origin).await;
}

#[tokio::test]
async fn a_writer_without_the_secret_speaks_of_another_key() {
    let origin = Origin::open();
    let cache = with_sessions(&origin).await;
    cache.as_current(forget_plain(TOKEN, 7)).await;
    assert_eq!(
        cache.as_current(traced(session(&origin, TOKEN, 7))).await.1,
        Some(Served::Memory)
    );
}

#[tokio::test]
async fn no_key_shows_the_secret() {
    let origin = Origin::open();
    let cache = with_sessions(&origin).await;
    cache.as_current(store(TOKEN.to_owned(), 8, 80)).await;
    for page in [7, 8] {
        let key = digested(page);
        let info = cache.inspect(&key).await.expect("the entry is there");
        assert_eq!(info.key, key.as_str());
        assert!(!format!("{info:?} {key:?} {key}").contains("hunter"));
        // Under the plain text there is nothing, whoever asks.
        let (token, text) = (TOKEN, format!("session:{TOKEN}:{page}"));
        for plain in [key!("session:{token}:{page}"), Key::new(&text)] {
            assert_eq!(cache.inspect(&plain).await, None, "{plain}");
        }
    }
    let seen = format!("{cache:?} {:?} {:?}", cache.stats(), cache.health());
    assert!(!seen.contains("hunter"), "{seen}");
}
