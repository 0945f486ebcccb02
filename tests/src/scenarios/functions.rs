//! The annotated functions of a fleet. Their key says nothing of the source, so every process means the same entry.

use cache_runtime::{cache_evict, cache_put, cacheable};

use super::origin::{Down, Source};

/// The key of [`product`], as the origin and Redis know it.
pub fn key(id: u64) -> String {
    format!("product:{id}")
}

/// A product's version. One load in the fleet; nobody gives up waiting during a test.
///
/// # Errors
/// The origin's, which waiters share.
#[cacheable(
    key = "product:{id}",
    ttl = "10m",
    jitter = 0.0,
    stampede_protection,
    wait_timeout = "60s"
)]
pub async fn product(source: &Source, id: u64) -> Result<u64, Down> {
    source.load(&key(id)).await
}

/// As [`product`], of an owner and with a tag.
///
/// # Errors
/// The origin's.
#[cacheable(
    key = "product:{id}",
    tags = ["about:{id}"],
    scope = "owner:{id}",
    ttl = "10m",
    jitter = 0.0,
    stampede_protection,
    wait_timeout = "60s"
)]
pub async fn owned(source: &Source, id: u64) -> Result<u64, Down> {
    source.load(&key(id)).await
}

/// An error that cannot be cloned.
#[derive(Debug)]
pub struct Alone;

/// As [`product`], with an error each waiter has to see for itself.
///
/// # Errors
/// The origin's.
#[cacheable(
    key = "product:{id}",
    ttl = "10m",
    jitter = 0.0,
    stampede_protection,
    wait_timeout = "60s"
)]
pub async fn product_or_alone(source: &Source, id: u64) -> Result<u64, Alone> {
    source.load(&key(id)).await.map_err(|Down| Alone)
}

/// Changes a product.
#[cache_evict(key = "product:{id}")]
pub async fn rename(source: &Source, id: u64) -> u64 {
    source.commit(&key(id)).await
}

/// Changes a product and stores what it is now. The load afterwards stands for the time the write takes.
///
/// # Errors
/// The origin's.
#[cache_put(key = "product:{id}", ttl = "10m", jitter = 0.0)]
pub async fn save(source: &Source, id: u64) -> Result<u64, Down> {
    let saved = source.commit(&key(id)).await;
    source.load(&format!("save:{id}")).await?;
    Ok(saved)
}

/// The key of [`hot`] and of what stands beside it.
pub fn hot_key(id: u64) -> String {
    format!("hot:{id}")
}

/// A value that lives for a second and is asked for all the time.
///
/// # Errors
/// The origin's.
#[cacheable(
    key = "hot:{id}",
    ttl = "1s",
    jitter = 0.0,
    background_refresh,
    stampede_protection
)]
pub async fn hot(source: &Source, id: u64) -> Result<u64, Down> {
    source.load(&hot_key(id)).await
}

/// As [`hot`], for an hour: nothing is refreshed while anybody looks.
///
/// # Errors
/// The origin's.
#[cacheable(
    key = "lasting:{id}",
    ttl = "1h",
    jitter = 0.0,
    background_refresh,
    stampede_protection
)]
pub async fn lasting(source: &Source, id: u64) -> Result<u64, Down> {
    source.load(&format!("lasting:{id}")).await
}

/// As [`hot`], in Redis alone.
///
/// # Errors
/// The origin's.
#[cacheable(
    key = "remote:{id}",
    ttl = "1s",
    jitter = 0.0,
    background_refresh,
    stampede_protection,
    l1 = false
)]
pub async fn remote(source: &Source, id: u64) -> Result<u64, Down> {
    source.load(&format!("remote:{id}")).await
}

/// The key of [`shielded`].
pub fn shielded_key(id: u64) -> String {
    format!("shielded:{id}")
}

/// A value that lives for a second, and is served for nine more while the origin fails, which is then tried twice a second.
///
/// # Errors
/// The origin's, which waiters share.
#[cacheable(
    key = "shielded:{id}",
    ttl = "1s",
    jitter = 0.0,
    stale_if_error = "9s",
    retry_after = "500ms",
    stampede_protection
)]
pub async fn shielded(source: &Source, id: u64) -> Result<u64, Down> {
    source.load(&shielded_key(id)).await
}

/// The key of [`refreshed`].
pub fn refreshed_key(id: u64) -> String {
    format!("refreshed:{id}")
}

/// A value that lives for a minute, and is refreshed in the background from its first second on.
///
/// # Errors
/// The origin's.
#[cacheable(
    key = "refreshed:{id}",
    ttl = "1m",
    jitter = 0.0,
    background_refresh = 0.015,
    stampede_protection
)]
pub async fn refreshed(source: &Source, id: u64) -> Result<u64, Down> {
    source.load(&refreshed_key(id)).await
}

/// As [`shielded`], and served at once while it is refreshed.
///
/// # Errors
/// The origin's.
#[cacheable(
    key = "lagging:{id}",
    ttl = "1s",
    jitter = 0.0,
    stale_while_revalidate = "9s",
    retry_after = "500ms",
    stampede_protection
)]
pub async fn lagging(source: &Source, id: u64) -> Result<u64, Down> {
    source.load(&lagging_key(id)).await
}

/// The key of [`lagging`].
pub fn lagging_key(id: u64) -> String {
    format!("lagging:{id}")
}
