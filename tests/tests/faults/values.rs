//! Values, keys and lives of unusual sizes, and scripts and builds that another has replaced.

use std::time::{Duration, Instant};

use cache_runtime::{Cache, Evict, Key, Policy, Served, Why, cacheable, traced};
use serde::{Deserialize, Serialize};
use tests::eventually;
use tests::proxy::{Mode, Proxy};
use tests::scenarios::origin::{Origin, Source};
use tests::scenarios::processes::{
    ask, builder, commands, connected, has, keys, of_url, process, value_of, warm,
};
use tests::server::RedisServer;
use tests::times::Times;

use crate::kit::{ROOM, half_and_most, in_form, measured};

#[tokio::test]
async fn fault_27_scripts_flushed() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (cache, source) = (process(&server).await, origin.source());
    warm(&cache).await;
    let mut monitor = server.monitor().await;
    let mut counts = Vec::new();
    for id in 0..6 {
        if id == 2 || id == 4 {
            server.cli(&["SCRIPT", "FLUSH"]).await;
        }
        commands(&mut monitor).await;
        assert_eq!(ask(&cache, &source, id).await, (1, Served::Loaded));
        let stored = value_of(&tests::scenarios::functions::key(id));
        assert!(has(&server, &stored).await, "it is stored");
        // What scripts call is not sent by anybody.
        let sent = commands(&mut monitor).await;
        let sent = sent.iter().filter(|it| !it.client.contains("lua"));
        counts.push(sent.count());
    }
    let (usual, flushed) = (counts[1], counts[2].max(counts[4]));
    assert_eq!((counts[3], counts[5]), (usual, usual), "{counts:?}");
    assert!(flushed <= usual + 4, "{counts:?}");
    assert_eq!(cache.stats().total.redis_errors, 0);
    let trips = round_trips(&server, &source, false).await;
    let more = round_trips(&server, &source, true).await - trips;
    assert!(more <= 2, "{more} round trips more than {trips}");
    measured(
        27,
        format_args!(
            "a miss sends {usual} commands, {flushed} after the flush, then {usual}; {trips} round trips, {more} more once; stored each time"
        ),
    );
}

/// How many round trips the first miss of a process takes, on a way so long that nothing else counts; the least of some, because the
/// machine does other things.
async fn round_trips(server: &RedisServer, source: &Source, flushed: bool) -> u128 {
    const TRIP: Duration = Duration::from_millis(100);
    let mut least = u128::MAX;
    for _ in 0..3 {
        let far = Proxy::start(server.addr()).await;
        let cache = of_url(&server.url_via(&far)).redis_budget(Duration::from_secs(10));
        let cache = connected(cache).await;
        if flushed {
            server.cli(&["SCRIPT", "FLUSH"]).await;
        }
        far.set(Mode::Delay(TRIP)).await;
        let begun = Instant::now();
        let new = 1_000 + crate::kit::new_id();
        assert_eq!(ask(&cache, source, new).await, (1, Served::Loaded));
        least = least.min(begun.elapsed().as_millis() / TRIP.as_millis());
    }
    least
}

/// The old build's value, and the new one's, which does not read as the old one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct V1 {
    number: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct V2 {
    number: u64,
    new: String,
}

const KEY: &str = "built:7";

#[cacheable(key = "built:{id}", version = 1, ttl = "10m")]
async fn old(source: &Source, id: u64) -> V1 {
    let _ = id;
    let number = source.load(KEY).await.expect("the origin is up");
    V1 { number }
}

#[cacheable(key = "built:{id}", version = 2, ttl = "10m")]
async fn new(source: &Source, id: u64) -> V2 {
    let _ = id;
    let number = source.load(KEY).await.expect("the origin is up");
    let new = "field".to_owned();
    V2 { number, new }
}

#[tokio::test]
async fn fault_31_older_and_newer_build() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (older, newer) = (process(&server).await, process(&server).await);
    let source = origin.source();
    let both = async || {
        let old = older.as_current(old(&source, 7)).await.number;
        (old, newer.as_current(new(&source, 7)).await.number)
    };
    let (mut value, mut loads) = (1, 0);
    for evicting in [&older, &newer] {
        for _ in 0..50 {
            assert_eq!(both().await, (value, value));
        }
        let more = origin.loads(KEY) - loads;
        assert!(more <= 2, "{more} loads: they do not overwrite each other");
        value = origin.commit(KEY);
        evicting
            .evict(Key::new(KEY))
            .await
            .expect("the server is up");
        eventually::holds("both read what is new", async || {
            both().await == (value, value)
        })
        .await;
        loads = origin.loads(KEY);
    }
    measured(
        31,
        format_args!("100 calls of each build: {loads} loads; evicted by either, gone for both"),
    );
}

#[cacheable(key = "huge:{length}", stampede_protection)]
async fn huge(length: usize) -> String {
    "x".repeat(length)
}

#[cacheable(key = "small:{id}", l1 = false)]
async fn small(id: u64) -> u64 {
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_33_value_of_fifty_megabytes() {
    let server = RedisServer::start().await;
    let cache = connected(builder(&server)).await;
    cache.as_current(small(1)).await;
    let hits = async |cache: &Cache, lasting: Duration| {
        let (mut times, begun) = (Times::default(), Instant::now());
        while begun.elapsed() < lasting {
            let one = Instant::now();
            let answer = cache.as_current(traced(small(1))).await;
            times.add(one.elapsed());
            assert_eq!(answer, (1, Some(Served::Redis)));
        }
        times
    };
    let lasting = in_form(Duration::from_secs(5), Duration::from_secs(1));
    let without = hits(&cache, lasting).await;
    let beside = tokio::spawn({
        let cache = cache.clone();
        async move {
            let (mut calls, begun) = (0_u64, Instant::now());
            while begun.elapsed() < lasting || calls == 0 {
                let (value, served) = cache.as_current(traced(huge(50 << 20))).await;
                assert_eq!((value.len(), served), (50 << 20, Some(Served::Loaded)));
                calls += 1;
            }
            calls
        }
    });
    let with = hits(&cache, lasting).await;
    let calls = beside.await.expect("all are answered");
    assert_eq!(cache.stats().total.oversized, calls);
    eventually::holds("nothing of it stays", async || {
        keys(&server).await == [value_of("small:1")]
    })
    .await;
    // Making the value takes one of two threads; hits on the other go on.
    assert!(
        with.percentile(99) < without.percentile(99) * 10 + ROOM / 50,
        "{without} and {with}"
    );
    measured(
        33,
        format_args!(
            "{calls} returned, counted, not stored; hits of another key {}, beside it {}",
            half_and_most(&without),
            half_and_most(&with)
        ),
    );
}

#[cacheable(key = "said:{text}")]
async fn said(text: &str) -> usize {
    text.len()
}

#[tokio::test]
async fn fault_34_key_of_a_megabyte() {
    let server = RedisServer::start().await;
    let cache = connected(builder(&server)).await;
    let call = async |text: &str| cache.as_current(traced(said(text))).await;
    let long = "x".repeat(600);
    assert_eq!(call(&long).await, (600, Some(Served::Loaded)));
    assert_eq!(call(&long).await, (600, Some(Served::Memory)));
    let stored = keys(&server).await;
    let longest = stored.iter().map(String::len).max().unwrap_or_default();
    assert!(stored.len() == 1 && longest < 512, "{stored:?}");
    let huge = "x".repeat(1 << 20);
    for _ in 0..2 {
        assert_eq!(
            call(&huge).await,
            (1 << 20, Some(Served::Bypassed(Why::Key)))
        );
    }
    assert_eq!(keys(&server).await.len(), 1);
    let bypassed = cache.stats().total.bypassed;
    measured(
        34,
        format_args!(
            "600 bytes: stored under {longest}; 1 MB: {bypassed} of 2 calls beside the cache"
        ),
    );
}

fn as_long(seconds: &u64) -> Duration {
    match seconds {
        0 => Duration::ZERO,
        1 => Duration::MAX,
        seconds => Duration::from_secs(*seconds),
    }
}

#[cacheable(key = "living:{seconds}", ttl_from = as_long)]
async fn living(seconds: u64) -> u64 {
    seconds
}

#[tokio::test]
async fn fault_65_lives_of_nothing_and_for_ever() {
    let server = RedisServer::start().await;
    let cache = process(&server).await;
    for _ in 0..2 {
        let (_, served) = cache.as_current(traced(living(0))).await;
        assert_eq!(served, Some(Served::Loaded), "nothing lives for no time");
    }
    assert_eq!(keys(&server).await, [""; 0]);
    let century = 100 * 365 * 24 * 3_600 * 1_000_i64;
    let mut longest = 0;
    for _ in 0..2 {
        cache.as_current(living(1)).await;
        let left = server.cli(&["PTTL", &value_of("living:1")]).await.int();
        assert!(left > 0 && left <= 2 * century, "{left} ms");
        longest = longest.max(left);
    }
    for ttl in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
        let policy = Policy::new().ttl(ttl).jitter(1.0);
        for _ in 0..2 {
            let key = Key::new("by:hand");
            assert_eq!(cache.get_or_load(&key, &policy, async || 7_u64).await, 7);
        }
        cache.evict(Evict::all()).await.expect("the server is up");
    }
    measured(
        65,
        format_args!(
            "0: not stored; the longest there is: {} years; in an attribute 0 does not compile",
            longest / (century / 100)
        ),
    );
}
