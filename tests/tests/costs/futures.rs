//! How large the futures are that callers hold.
//!
//! Every task that calls an annotated function has its future inside its own, and moves it when it is spawned or boxed. So the body's
//! future is boxed on a miss, and a hit with a body of four kilobytes has a future of a hundred bytes: this holds the figures.

use std::future::Future;
use std::mem::size_of_val;
use std::sync::Arc;

use cache_runtime::{
    Evict, Key, Policy, bypass, cache_evict, cache_put, cacheable, refresh, traced,
};
use tests::caches::in_memory;

/// Bytes, at most, as rustc 1.95 lays them out. The layout is the compiler's own affair: with another one, see first whether the code has changed.
const RECORDED: [(&str, usize); 13] = [
    ("the body of `large`", 4136),
    ("cacheable", 48),
    ("cacheable, three arguments", 96),
    ("cacheable, rendered tags", 64),
    ("cacheable, background refresh", 48),
    ("cacheable, a method", 56),
    ("cache_put", 9088),
    ("cache_evict", 4400),
    ("get_or_load", 5760),
    ("get", 4072),
    ("evict", 440),
    ("as_current", 88),
    ("traced(refresh(bypass))", 184),
];

/// Four kilobytes that live across an await, as a large query's do.
async fn large(id: u64) -> u64 {
    let bytes = [u8::try_from(id % 256).expect("it is less"); 4096];
    tokio::task::yield_now().await;
    u64::from(bytes[usize::try_from(id % 4096).expect("it is less")])
}

#[cacheable(key = "size:{id}", ttl = "30m", stampede_protection)]
async fn cached(id: u64) -> Arc<u64> {
    Arc::new(large(id).await)
}

#[cacheable(key = "size:{tenant}:{name}:{id}", ttl = "30m", stampede_protection)]
async fn three(tenant: u64, name: &str, id: u64) -> Arc<u64> {
    Arc::new(large(tenant + id + name.len() as u64).await)
}

#[cacheable(key = "size:{id}", ttl = "30m", stampede_protection, tags = ["tenant:{tenant}", "all"])]
async fn tagged(tenant: u64, id: u64) -> Arc<u64> {
    Arc::new(large(tenant + id).await)
}

#[cacheable(
    key = "size:{id}",
    ttl = "30m",
    stampede_protection,
    background_refresh
)]
async fn refreshed(id: u64) -> Arc<u64> {
    Arc::new(large(id).await)
}

struct Shop;

impl Shop {
    #[cacheable(key = "size:{id}", ttl = "30m", stampede_protection)]
    async fn method(&self, id: u64) -> Result<Option<Arc<u64>>, String> {
        Ok(Some(Arc::new(large(id).await)))
    }
}

#[cache_put(key = "size:{id}", ttl = "30m")]
async fn put(id: u64) -> Arc<u64> {
    Arc::new(large(id).await)
}

#[cache_evict(key = "size:{id}", pattern = "size:list:*")]
async fn forget(id: u64) -> u64 {
    large(id).await
}

#[test]
fn futures_are_as_large_as_recorded() {
    let (cache, key, policy) = (in_memory(), Key::new("size"), Policy::new());
    let sizes = [
        of(large(1)),
        of(cached(1)),
        of(three(1, "x", 1)),
        of(tagged(1, 1)),
        of(refreshed(1)),
        of(Shop.method(1)),
        of(put(1)),
        of(forget(1)),
        of(cache.get_or_load(&key, &policy, || large(1))),
        of(cache.get::<u64>(&key)),
        of(cache.evict(Evict::key(key.clone()))),
        of(cache.as_current(cached(1))),
        of(traced(refresh(bypass(cached(1))))),
    ];
    // Another compiler may lay them out in another way: then only what is far larger is told.
    let room = if compiler().contains(" 1.95.") {
        usize::MAX
    } else {
        4
    };
    let wrong: Vec<String> = RECORDED
        .iter()
        .zip(sizes)
        // What is far smaller is to be written down, or it may grow again.
        .filter(|((_, recorded), size)| {
            *size > recorded + recorded / room || *size < recorded - recorded / 4
        })
        .map(|((name, recorded), size)| format!("{name}: {size} bytes, recorded are {recorded}"))
        .collect();
    assert!(
        wrong.is_empty(),
        "not as large as rustc 1.95 made them: {wrong:#?}"
    );
}

fn compiler() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let told = std::process::Command::new(rustc).arg("--version").output();
    told.map_or_else(
        |_| String::new(),
        |told| String::from_utf8_lossy(&told.stdout).into_owned(),
    )
}

fn of(future: impl Future) -> usize {
    size_of_val(&future)
}
