//! The process's default cache. One test, because a process installs once.

use cache_runtime::{Cache, Key, cacheable};
use tests::caches::build;
use tests::origin::Origin;

#[cacheable(key = "product", ttl = "1h")]
async fn product(origin: &Origin) -> u64 {
    origin.run().await
}

#[tokio::test]
async fn the_installed_cache_replaces_the_fallback_and_stays() {
    let (origin, key) = (Origin::open(), Key::new("product"));
    assert_eq!(product(&origin).await, 1);
    assert_eq!(Cache::current().name(), "cache");
    let (shop, other) = (
        build(Cache::builder("shop")),
        build(Cache::builder("other")),
    );
    shop.install().unwrap();
    assert_eq!(Cache::current().name(), "shop");
    assert_eq!(
        product(&origin).await,
        2,
        "what the fallback held stays there"
    );
    assert_eq!(shop.get::<u64>(&key).await, Some(2));

    for again in [&other, &shop] {
        let error = again.install().unwrap_err().to_string();
        assert!(error.contains("`shop`"), "{error}");
    }
    assert_eq!(Cache::current().name(), "shop");

    // Tasks and threads of their own have it too, and `as_current` is stronger.
    let spawned = tokio::spawn(async { Cache::current().name().to_owned() });
    let thread = std::thread::spawn(|| Cache::current().name().to_owned());
    assert_eq!(
        (spawned.await.unwrap(), thread.join().unwrap()),
        ("shop".to_owned(), "shop".to_owned())
    );
    assert_eq!(other.as_current(product(&origin)).await, 3);
    assert_eq!(product(&origin).await, 2);
}
