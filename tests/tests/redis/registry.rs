//! The registry of regions: whatever becomes of it, a region in use is in it before something is stored that only it tells of.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cache_runtime::testing::ManualClock;
use cache_runtime::{Cache, Evict, cacheable};
use tests::scenarios::processes::{builder, connected, has, process, value_of};
use tests::server::RedisServer;

const DAY: Duration = Duration::from_secs(24 * 3600);
const SITES: &str = "shop:#sites";
/// The regions of the two functions, as the registry has them.
const REGIONS: [&str; 2] = ["products:item", "*"];

/// As [`any_list`], for longer than regions are kept without use.
#[cacheable(key = "{kind}:archive:{page}", ttl = DAY)]
async fn archive(loads: &AtomicU64, kind: &str, page: u64) -> u64 {
    let _ = (kind, page);
    loads.fetch_add(1, Ordering::SeqCst)
}

/// Its keys may lie below any region, so it stands in the registry as `*`.
#[cacheable(key = "{kind}:list:{page}", ttl = "3h")]
async fn any_list(loads: &AtomicU64, kind: &str, page: u64) -> u64 {
    let _ = (kind, page);
    loads.fetch_add(1, Ordering::SeqCst)
}

/// Its value says how long it lives.
#[cacheable(key = "{kind}:dated", ttl_from = |_| DAY)]
async fn dated(kind: &str) -> u64 {
    kind.len() as u64
}

#[cacheable(key = "products:item:{id}", ttl = "3h")]
async fn item(id: u64) -> u64 {
    id
}

async fn list(cache: &Cache, loads: &AtomicU64, page: u64) -> u64 {
    cache.as_current(any_list(loads, "products", page)).await
}

#[tokio::test]
async fn a_registry_lost_before_everything_is_evicted_gets_every_region_again() {
    let (server, loads) = (RedisServer::start().await, AtomicU64::new(0));
    let cache = process(&server).await;
    list(&cache, &loads, 1).await;
    cache.as_current(item(1)).await;
    assert_eq!(server.cli(&["UNLINK", SITES]).await.int(), 1);
    // Makes the registry again, with a generation and without a region.
    cache.evict(Evict::all()).await.unwrap();
    cache.as_current(item(2)).await;
    let listed = list(&cache, &loads, 2).await;
    assert!(has(&server, &value_of("products:list:2")).await);
    assert_eq!(server.cli(&["HEXISTS", SITES, "*"]).await.int(), 1);
    cache.evict(Evict::pattern("products:*")).await.unwrap();
    let other = process(&server).await;
    assert_ne!(list(&other, &loads, 2).await, listed);
}

#[tokio::test]
async fn every_region_in_use_is_registered_again_within_the_hour() {
    let (server, loads) = (RedisServer::start().await, AtomicU64::new(0));
    let clock = ManualClock::new();
    let cache = connected(builder(&server).manual_clock(clock.clone())).await;
    for hour in 0..3 {
        cache.as_current(item(hour)).await;
        list(&cache, &loads, hour).await;
        for region in REGIONS {
            server.cli(&["HSET", SITES, region, "1"]).await;
        }
        clock.advance(Duration::from_secs(3600));
        // The first to load after an hour asks how the cache stands; the others must not rest on that.
        cache.as_current(item(100 + hour)).await;
        list(&cache, &loads, 100 + hour).await;
        for region in REGIONS {
            let stamp = server.cli(&["HGET", SITES, region]).await.int();
            assert!(stamp > 1, "{region} is not registered again");
        }
    }
}

#[tokio::test]
async fn a_region_stays_for_as_long_as_an_entry_that_lives_below_it() {
    const HOUR: i64 = 3_600_000;
    let (server, loads) = (RedisServer::start().await, AtomicU64::new(0));
    let cache = process(&server).await;
    let archived = async |cache: &Cache| cache.as_current(archive(&loads, "products", 1)).await;
    let stored = archived(&cache).await;
    // Ten hours later: the entry was read and never loaded, and an hour ago others have registered what they load.
    for (field, hours) in [("*", 10), ("#swept", 1)] {
        let stamp = server.cli(&["HGET", SITES, field]).await.int() - hours * HOUR;
        server
            .cli(&["HSET", SITES, field, &stamp.to_string()])
            .await;
    }
    let other = process(&server).await;
    other.as_current(item(1)).await;
    assert_eq!(archived(&other).await, stored, "it is still there");
    assert_eq!(server.cli(&["HEXISTS", SITES, "*"]).await.int(), 1);
    other.evict(Evict::pattern("products:*")).await.unwrap();
    assert_ne!(archived(&process(&server).await).await, stored);
}

#[tokio::test]
async fn a_life_that_only_the_value_knows_keeps_its_region_as_well() {
    let server = RedisServer::start().await;
    let cache = process(&server).await;
    cache.as_current(dated("products")).await;
    let life = server.cli(&["PTTL", &value_of("products:dated")]).await;
    let time = server.cli(&["TIME"]).await;
    let kept = server.cli(&["HGET", SITES, "*"]).await;
    let seconds: i64 = time.list()[0].parse().unwrap();
    assert!(seconds * 1000 + life.int() < kept.int());
}

/// Of a long name Redis is shown the region and a digest.
#[cacheable(key = "shelf:{name}", ttl = "3h", l1 = false)]
async fn shelf(loads: &AtomicU64, name: &str) -> u64 {
    let _ = name;
    loads.fetch_add(1, Ordering::SeqCst)
}

/// A scan looks for digests only where the registry says that they may be.
#[tokio::test]
async fn who_scans_notices_a_registry_that_was_made_anew_before_he_is_told() {
    let (server, loads) = (RedisServer::start().await, AtomicU64::new(0));
    let cache = process(&server).await;
    let name = format!("7{}", "x".repeat(600));
    let read = async || cache.as_current(shelf(&loads, &name)).await;
    assert_eq!((read().await, read().await), (0, 0));
    let anew = "local gen = redis.call('HGET', KEYS[1], '#gen') redis.call('DEL', KEYS[1]) \
        return redis.call('HSET', KEYS[1], 'other', '99999999999999', '#gen', 'g' .. string.rep('n', 16) .. string.sub(gen, 18))";
    assert_eq!(server.cli(&["EVAL", anew, "1", SITES]).await.int(), 2);
    cache.evict(Evict::pattern("shelf:7*x")).await.unwrap();
    assert_eq!(read().await, 1);
}
