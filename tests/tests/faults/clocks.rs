//! Clocks that jump: of a process, and of the server.
//!
//! The clock of a machine is not a test's to change, so the process gets a clock that the test moves, and the server's jump is what the
//! process is told of its time: a server that says an hour more than its scripts go by has gone back by an hour since.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cache_runtime::testing::ManualClock;
use cache_runtime::{Cache, Evict, Served, cacheable, traced};
use tests::eventually;
use tests::scenarios::origin::{Origin, Source};
use tests::scenarios::processes::{builder, connected, has, of_url, process, value_of};
use tests::scripted::{Say, Scripted, is};
use tests::server::RedisServer;

use crate::kit::measured;

const HOUR: Duration = Duration::from_secs(3_600);
const TTL: Duration = Duration::from_secs(3);

#[cacheable(key = "timed:{id}", tags = ["about:{id}"], ttl = "3s", jitter = 0.0)]
async fn timed(source: &Source, id: u64) -> u64 {
    source
        .load(&format!("timed:{id}"))
        .await
        .expect("the origin is up")
}

async fn read(cache: &Cache, source: &Source, id: u64) -> (u64, Option<Served>) {
    cache.as_current(traced(timed(source, id))).await
}

/// What is stored by one lives for its ttl, for both; a tag reaches it for both.
async fn lives_and_dies(
    cache: &Cache,
    other: &Cache,
    server: &RedisServer,
    origin: &Origin,
    ids: [u64; 2],
) {
    let source = origin.source();
    for (writer, reader, id) in [(cache, other, ids[0]), (other, cache, ids[1])] {
        assert_eq!(read(writer, &source, id).await, (1, Some(Served::Loaded)));
        assert_eq!(
            read(reader, &source, id).await,
            (1, Some(Served::Redis)),
            "no sooner"
        );
        let left = server
            .cli(&["PTTL", &value_of(&format!("timed:{id}"))])
            .await
            .int();
        let ttl = i64::try_from(TTL.as_millis()).expect("it is short");
        assert!((1..=ttl).contains(&left), "{left}");
        let new = origin.commit(&format!("timed:{id}"));
        reader
            .evict(Evict::tag(format!("about:{id}")))
            .await
            .expect("the server is up");
        for node in [reader, writer] {
            eventually::holds("the tag reaches it", async || {
                read(node, &source, id).await.0 == new
            })
            .await;
        }
        // And it is loaded again when its life is over, in both.
        let newer = origin.commit(&format!("timed:{id}"));
        let stored = std::time::Instant::now();
        for node in [reader, writer] {
            eventually::holds("it expires", async || {
                read(node, &source, id).await.0 == newer
            })
            .await;
        }
        let lived = stored.elapsed();
        assert!(lived < 2 * TTL, "{lived:?}");
        assert!(has(server, &value_of(&format!("timed:{id}"))).await);
    }
}

#[tokio::test]
async fn fault_35_clock_of_a_process_jumps() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (clock, source) = (ManualClock::new(), origin.source());
    let jumping = builder(&server).manual_clock(clock.clone());
    let (jumping, other) = (connected(jumping).await, process(&server).await);
    assert_eq!(read(&jumping, &source, 1).await, (1, Some(Served::Loaded)));
    assert_eq!(read(&jumping, &source, 1).await, (1, Some(Served::Memory)));
    // What it has in memory is old all at once, and what Redis has is not.
    clock.advance(HOUR);
    assert_eq!(read(&jumping, &source, 1).await, (1, Some(Served::Redis)));
    // It stands still, and is an hour off: neither changes how long anything lives elsewhere.
    for (round, jump) in (0..).zip([Duration::ZERO, HOUR]) {
        clock.advance(jump);
        let id = 10 + round;
        assert_eq!(read(&jumping, &source, id).await, (1, Some(Served::Loaded)));
        assert_eq!(read(&other, &source, id).await, (1, Some(Served::Redis)));
        let new = origin.commit(&format!("timed:{id}"));
        other
            .evict(Evict::tag(format!("about:{id}")))
            .await
            .expect("the server is up");
        eventually::holds("the tag reaches it", async || {
            read(&jumping, &source, id).await.0 == new
        })
        .await;
        let newer = origin.commit(&format!("timed:{id}"));
        let stored = std::time::Instant::now();
        eventually::holds("it expires elsewhere", async || {
            read(&other, &source, id).await.0 == newer
        })
        .await;
        assert!(stored.elapsed() < TTL + TTL / 2, "{:?}", stored.elapsed());
    }
    measured(
        35,
        "an hour ahead: read again from Redis, nothing lives longer or shorter elsewhere, tags reach it",
    );
}

#[tokio::test]
async fn fault_36_clock_of_the_server_jumps() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let hop = Scripted::start(server.addr()).await;
    for (round, forward) in (0..).zip([true, false]) {
        hop.say(move |parts| {
            if !is(parts, "TIME") {
                return Say::Pass;
            }
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            // What it says, when its scripts say `now`.
            let said = if forward { now - HOUR } else { now + HOUR };
            let (seconds, micros) = (said.as_secs().to_string(), said.subsec_micros().to_string());
            let (long, short) = (seconds.len(), micros.len());
            Say::Bytes(
                format!("*2\r\n${long}\r\n{seconds}\r\n${short}\r\n{micros}\r\n").into_bytes(),
            )
        });
        let told = connected(of_url(&hop.url()).redis_budget(Duration::from_secs(5))).await;
        let other = process(&server).await;
        lives_and_dies(
            &told,
            &other,
            &server,
            &origin,
            [100 + 2 * round, 101 + 2 * round],
        )
        .await;
    }
    measured(
        36,
        format_args!(
            "an hour forward and back: everything expired within 2 of its ttls, tags reach it"
        ),
    );
}
