//! What `Cache::stats` tells beside hits and misses: how long loads took, who waits, what was evicted, what is in memory.

use std::time::Duration;

use cache_runtime::{Cache, Evict, Key, Memory, Policy, key};
use tests::caches::{build, builder, in_memory};
use tests::crowd::Crowd;
use tests::entries::fill;
use tests::origin::Origin;

const SECOND: Duration = Duration::from_secs(1);

/// Whether a histogram's answer is this, to a quarter.
#[track_caller]
fn is_about(told: Option<Duration>, took: Duration) {
    let told = told.expect("there are some");
    assert!(
        told >= took && told <= took + took / 4 + SECOND / 100,
        "{told:?}, not {took:?}"
    );
}

async fn load(cache: &Cache, number: u64, takes: Duration, fails: bool) {
    let load = async || {
        tokio::time::sleep(takes).await;
        if fails { Err("it fails") } else { Ok(number) }
    };
    let key = key!("a:{number}");
    let loaded = cache.try_get_or_load(&key, &Policy::new(), load).await;
    assert_eq!(loaded.is_err(), fails);
}

#[tokio::test(start_paused = true)]
async fn load_times_are_those_of_loads_and_not_of_hits() {
    let cache = in_memory();
    for number in 0..98 {
        load(&cache, number, SECOND / 10, false).await;
        load(&cache, number, SECOND, false).await;
    }
    load(&cache, 98, 2 * SECOND, false).await;
    load(&cache, 99, 20 * SECOND, true).await;
    let stats = cache.stats();
    let times = &stats.sites["get_or_load"].load_times;
    assert_eq!((times.count(), stats.total.loads), (100, 100));
    is_about(times.quantile(0.5), SECOND / 10);
    is_about(times.quantile(0.99), 2 * SECOND);
    is_about(times.quantile(1.0), 20 * SECOND);
    is_about(Some(times.sum()), 98 * SECOND / 10 + 22 * SECOND);
    assert_eq!(&stats.total.load_times, times);
    load(&cache, 100, SECOND, false).await;
    let since = cache.stats().total.load_times.since(times);
    assert_eq!(since.count(), 1);
    is_about(since.quantile(0.5), SECOND);
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_and_those_who_load_are_told_while_they_do() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let crowd = Crowd::of(5, |_| {
        let (cache, origin) = (cache.clone(), origin.clone());
        let load = async move || origin.run().await;
        async move {
            let key = Key::new("a");
            cache.get_or_load(&key, &Policy::new(), load).await
        }
    })
    .await;
    let now = cache.stats().total;
    assert_eq!((now.loading, now.waiting), (1, 4));
    // One of those who wait hangs up, then the one who loads: another takes over.
    crowd.hang_up(4);
    crowd.hang_up(0);
    tokio::time::sleep(SECOND / 100).await;
    let now = cache.stats().total;
    assert_eq!((now.loading, now.waiting), (1, 2));
    origin.open_gate();
    while crowd.waiting() > 0 {
        tokio::time::sleep(SECOND / 100).await;
    }
    let now = cache.stats().total;
    assert_eq!((now.loading, now.waiting), (0, 0));
}

#[tokio::test]
async fn evictions_are_told_by_what_they_select() {
    let cache = in_memory();
    let what = Evict::keys(["a", "b", "c"].map(Key::new))
        .and(Evict::tags(["a", "b"]))
        .and(Evict::region("a"))
        .and(Evict::pattern("a:*"))
        .and(Evict::pattern("*a"))
        .and(Evict::scope("a"));
    cache.evict(what).await.unwrap();
    cache.evict(Evict::all()).await.unwrap();
    cache.expire(Key::new("a")).await.unwrap();
    let stats = cache.stats();
    let site = &stats.sites["evict"];
    assert_eq!(
        (site.evictions, site.evicted_keys, site.evicted_tags),
        (2, 3, 2)
    );
    assert_eq!((site.evicted_regions, site.evicted_patterns), (2, 1));
    assert_eq!((site.evicted_scopes, site.evicted_all), (1, 1));
    assert_eq!(
        (stats.sites["expire"].evictions, stats.total.evicted_keys),
        (1, 4)
    );
}

#[tokio::test]
async fn memory_tells_its_entries_and_about_how_large_they_are() {
    let by_bytes = build(builder().memory(Memory::new().max_bytes(1 << 20)));
    for (cache, estimated) in [(in_memory(), true), (by_bytes, false)] {
        assert_eq!(cache.stats().memory.bytes, 0);
        for number in 0..1_000 {
            let text = "x".repeat(88);
            let key = Key::new(&format!("{number:010}"));
            cache.put(&key, text, &Policy::new()).await.unwrap();
        }
        let memory = cache.stats().memory;
        // Ten bytes of key, and the text in its quotes.
        assert_eq!(
            (memory.entries, memory.bytes),
            (1_000, 100_000),
            "{estimated}"
        );
        cache.evict(Evict::all()).await.unwrap();
        fill(&cache, &["a"]).await;
        assert!(cache.stats().memory.entries >= 1);
    }
    let off = build(builder().no_memory());
    fill(&off, &["a"]).await;
    assert_eq!(off.stats().memory, Default::default());
}

#[tokio::test]
async fn it_is_told_since_when() {
    let before = std::time::SystemTime::now();
    let cache = in_memory();
    std::thread::sleep(SECOND / 100);
    let stats = cache.stats();
    assert!(stats.uptime >= SECOND / 100);
    assert!(
        stats.started >= before - SECOND && stats.started <= std::time::SystemTime::now() + SECOND
    );
    assert_eq!(stats.redis.round_trips.count(), 0);
}
