//! The end of a cache: leases are given back, what is left is told, and calls go on being answered.

use std::time::Duration;

use cache_runtime::testing::{Leftovers, leftovers};
use cache_runtime::{Cache, Key, RedisHealth, Served, cacheable, traced};
use tests::eventually;
use tests::proxy::{Mode, Proxy};
use tests::scenarios::functions::key;
use tests::scenarios::origin::{Down, End, Origin, Source};
use tests::scenarios::processes::{ask, connected, has, keys, of_url, process, value_of};
use tests::server::RedisServer;

#[tokio::test]
async fn close_gives_leases_back_and_calls_go_on() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (cache, other) = (process(&server).await, process(&server).await);
    let source = origin.source();
    origin.hold(1);
    let load = ask(&cache, &source, 7);
    let close = async {
        origin.begun(&key(7), 1).await;
        assert_eq!(keys(&server).await.len(), 1, "a lease");
        let unfinished = cache.close(Duration::from_secs(20)).await;
        assert!(unfinished.is_nothing(), "{unfinished:?}");
        assert_eq!(keys(&server).await, [""; 0], "the lease was given back");
        assert_eq!(
            ask(&other, &source, 7).await.1,
            Served::Loaded,
            "nobody waits for it"
        );
        origin.release(End::Value);
    };
    let (loaded, ()) = tokio::join!(load, close);
    assert_eq!(loaded, (1, Served::Loaded));
    assert_eq!(cache.health().redis, RedisHealth::Closed);
    // It hears of no evictions any more, so nothing is kept.
    assert_eq!(ask(&cache, &source, 8).await, (1, Served::Loaded));
    assert_eq!(ask(&cache, &source, 8).await, (1, Served::Loaded));
    assert_eq!(leftovers(&cache).flights, 0);
}

#[tokio::test]
async fn close_delivers_what_is_queued() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let cache = process(&server).await;
    ask(&cache, &origin.source(), 7).await;
    server.cli(&["ACL", "SETUSER", "default", "-unlink"]).await;
    cache.evict(Key::new(&key(7))).await.unwrap_err();
    server.cli(&["ACL", "SETUSER", "default", "+unlink"]).await;
    let unfinished = cache.close(Duration::from_secs(20)).await;
    assert!(unfinished.is_nothing(), "{unfinished:?}");
    assert_eq!(keys(&server).await, [""; 0]);
}

#[tokio::test]
async fn close_tells_what_it_could_not_finish() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let proxy = Proxy::start(server.addr()).await;
    let cache =
        connected(of_url(&server.url_via(&proxy)).redis_budget(Duration::from_secs(5))).await;
    let source = origin.source();
    origin.hold(1);
    let load = ask(&cache, &source, 7);
    let close = async {
        origin.begun(&key(7), 1).await;
        proxy.set(Mode::Refuse).await;
        proxy.reset_all();
        eventually::holds("the cache notices", async || !cache.health().is_ok()).await;
        cache.evict(Key::new("a")).await.unwrap_err();
        cache.evict(Key::new("b")).await.unwrap_err();
        let closing = cache.close(Duration::from_millis(300));
        let unfinished = tokio::time::timeout(eventually::PATIENCE, closing)
            .await
            .expect("it keeps its deadline");
        assert_eq!(
            (unfinished.evictions, unfinished.leases),
            (2, 1),
            "{unfinished:?}"
        );
        origin.release(End::Value);
    };
    assert_eq!(tokio::join!(load, close).0, (1, Served::Loaded));
}

#[tokio::test]
async fn eviction_after_the_close_is_told_not_to_be_done() {
    let server = RedisServer::start().await;
    let cache = process(&server).await;
    assert!(cache.close(Duration::from_secs(5)).await.is_nothing());
    assert!(
        cache.close(Duration::from_secs(5)).await.is_nothing(),
        "a second time there is nothing to do"
    );
    assert!(cache.evict(Key::new("a")).await.is_err());
}

/// Everything that runs in the background at once: refreshes by hits, by a timer and of stale values, loads that nobody waits for, comparisons.
#[cacheable(
    key = "busy:{id}",
    ttl = "500ms",
    jitter = 0.0,
    background_refresh = 0.3,
    stale_while_revalidate = "1h",
    stale_if_error = "1h",
    soft_timeout = "20ms",
    refresh_every = "200ms",
    idle = "1h",
    consistency_check = 0.2,
    stampede_protection,
    wait_timeout = "60s"
)]
async fn busy(source: &Source, id: u64) -> Result<u64, Down> {
    source.load(&busy_key(id)).await
}

fn busy_key(id: u64) -> String {
    format!("busy:{id}")
}

const BUSY: u64 = 20;

async fn ask_busy(cache: &Cache, source: &Source, id: u64) -> (u64, Served) {
    let (value, served) = cache.as_current(traced(busy(source, id))).await;
    (
        value.expect("the origin is up"),
        served.expect("the call was annotated"),
    )
}

/// Calls for a second, as all of that happens.
async fn keep_busy(cache: &Cache, source: &Source) {
    let until = tokio::time::Instant::now() + Duration::from_secs(1);
    while tokio::time::Instant::now() < until {
        for id in 0..BUSY {
            ask_busy(cache, source, id).await;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(
        cache.stats().total.refreshes > BUSY,
        "{:?}",
        cache.stats().total
    );
}

fn loads(origin: &Origin) -> u64 {
    (0..BUSY).map(|id| origin.loads(&busy_key(id))).sum()
}

/// For longer than every period, and a lease.
async fn nothing_happens(server: &RedisServer, origin: &Origin) {
    let mut monitor = server.monitor().await;
    let before = loads(origin);
    tokio::time::sleep(Duration::from_millis(3_500)).await;
    let commands = monitor.take().await;
    assert_eq!(commands, [], "nothing is asked of Redis any more");
    assert_eq!(loads(origin), before, "nor of the origin");
    let clients = server.cli(&["CLIENT", "LIST"]).await.text();
    // The monitor and who asks.
    assert_eq!(clients.lines().count(), 2, "{clients}");
}

#[tokio::test]
async fn close_ends_everything_that_runs_in_the_background() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (cache, source) = (process(&server).await, origin.source());
    origin.delay(Duration::from_millis(30));
    keep_busy(&cache, &source).await;
    let unfinished = cache.close(Duration::from_secs(20)).await;
    assert!(unfinished.is_nothing(), "{unfinished:?}");
    assert_eq!(leftovers(&cache), Leftovers::default());
    let leases = server.cli(&["KEYS", "*:lease"]).await.list();
    assert_eq!(leases, [""; 0]);
    nothing_happens(&server, &origin).await;
    // A call is answered all the same, and begins nothing.
    let before = loads(&origin);
    assert_eq!(ask_busy(&cache, &source, 1).await, (1, Served::Loaded));
    assert_eq!(loads(&origin), before + 1);
    nothing_happens(&server, &origin).await;
}

#[cacheable(
    key = "slow:{id}",
    ttl = "300ms",
    jitter = 0.0,
    stale_while_revalidate = "1h",
    stampede_protection,
    wait_timeout = "60s"
)]
async fn slow(source: &Source, id: u64) -> Result<u64, Down> {
    source.load("slow").await
}

async fn ask_slow(cache: &Cache, source: &Source) -> u64 {
    let answer = cache.as_current(slow(source, 1)).await;
    answer.expect("the origin is up")
}

#[tokio::test]
async fn close_cuts_off_what_takes_too_long_and_nothing_comes_of_it() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (cache, other) = (process(&server).await, process(&server).await);
    let source = origin.source();
    assert_eq!(ask_slow(&cache, &source).await, 1);
    origin.hold(1);
    eventually::holds("a stale value is revalidated", async || {
        assert_eq!(ask_slow(&cache, &source).await, 1);
        origin.loads("slow") == 2
    })
    .await;
    let unfinished = cache.close(Duration::from_secs(2)).await;
    let left = (unfinished.refreshes, unfinished.leases);
    assert_eq!(left, (1, 0), "{unfinished:?}");
    let lease = format!("{}:lease", value_of("slow:1"));
    assert!(!has(&server, &lease).await, "given back");
    origin.commit("slow");
    origin.release(End::Value);
    // Nor is another process kept waiting.
    eventually::holds("another has the new value", async || {
        ask_slow(&other, &source).await == 2
    })
    .await;
    assert!(other.close(Duration::from_secs(20)).await.is_nothing());
    nothing_happens(&server, &origin).await;
}
