//! Messages that do not come, come too late, or come just then: what is in memory is believed only as long as nothing was missed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, Key, Served};
use tests::eventually;
use tests::proxy::{Mode, Proxy};
use tests::scenarios::functions::key;
use tests::scenarios::origin::{Origin, Source};
use tests::scenarios::processes::{ask, connected, of_url, process};
use tests::scripted::{Say, Scripted, about, is};
use tests::server::RedisServer;

use crate::kit::{ROOM, in_form, measured, short};

const SECOND: Duration = Duration::from_secs(1);

/// It is in this process's memory.
async fn in_memory(cache: &Cache, source: &Source, id: u64) {
    eventually::holds("it is in memory", async || {
        ask(cache, source, id).await.1 == Served::Memory
    })
    .await;
}

/// How long a process goes on reading something older than this; a hit in memory while it is deaf is told apart.
async fn stale_for(cache: &Cache, source: &Source, id: u64, new: u64, since: Instant) -> Duration {
    let mut last = Duration::ZERO;
    let until = since + 4 * SECOND;
    while Instant::now() < until {
        let begun = since.elapsed();
        if ask(cache, source, id).await.0 < new {
            last = begun;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    last
}

#[tokio::test]
async fn fault_48_message_missed() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let proxy = Proxy::start(server.addr()).await;
    let deaf = of_url(&server.url_via(&proxy)).redis_budget(5 * SECOND);
    let (deaf, other) = (connected(deaf).await, process(&server).await);
    let source = origin.source();
    // Told that the connection is gone, and told nothing.
    let (mut told, mut untold) = (Duration::ZERO, Duration::ZERO);
    let rounds = in_form(5, 1);
    for round in 0..2 * rounds {
        in_memory(&deaf, &source, round).await;
        let new = origin.commit(&key(round));
        let silent = round % 2 == 1;
        if silent {
            proxy.black_hole_existing();
        } else {
            server.cli(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
        }
        let cut = Instant::now();
        other
            .evict(Key::new(&key(round)))
            .await
            .expect("the server is up");
        let stale = stale_for(&deaf, &source, round, new, cut).await;
        let worst = if silent { &mut untold } else { &mut told };
        *worst = stale.max(*worst);
        eventually::holds("all is well", async || deaf.health().is_ok()).await;
    }
    assert!(told < SECOND, "{told:?}");
    assert!(untold < 3 * SECOND + ROOM / 3, "{untold:?}");
    measured(
        48,
        format_args!(
            "stale for {} after a kill, {} in a black hole",
            short(told),
            short(untold)
        ),
    );
}

#[tokio::test]
async fn fault_49_messages_nobody_reads() {
    let limit = ["--client-output-buffer-limit", "pubsub 8mb 0 0"];
    let server = RedisServer::builder().args(&limit).start().await;
    let (origin, proxy) = (Origin::start().await, Proxy::start(server.addr()).await);
    let deaf = of_url(&server.url_via(&proxy)).redis_budget(5 * SECOND);
    let (deaf, other) = (connected(deaf).await, process(&server).await);
    let source = origin.source();
    in_memory(&deaf, &source, 7).await;
    let new = origin.commit(&key(7));
    let mut killed = Duration::ZERO;
    proxy.set(Mode::BlackHole).await;
    let stopped = Instant::now();
    // Not of the cache's own kind, so that who reads them does nothing with them but begin anew.
    let message = "x".repeat(1 << 20);
    let log = server.folder().join("redis.log");
    for sent in 1.. {
        server.cli(&["PUBLISH", "shop:#bus", &message]).await;
        let told = std::fs::read_to_string(&log).unwrap_or_default();
        if told.contains("scheduled to be closed ASAP") {
            killed = stopped.elapsed();
            break;
        }
        assert!(sent < 200, "the server does not kill who does not read");
    }
    other
        .evict(Key::new(&key(7)))
        .await
        .expect("the server is up");
    let evicted = Instant::now();
    // The link is silent as well: everything is read from the origin.
    let stale = stale_for(&deaf, &source, 7, new, evicted).await;
    assert!(stale < 3 * SECOND + ROOM / 3, "{stale:?}");
    proxy.set(Mode::Pass).await;
    let passed = Instant::now();
    eventually::holds("all is well", async || deaf.health().is_ok()).await;
    let back = passed.elapsed();
    assert!(back < 3 * SECOND + ROOM, "{back:?}");
    assert_eq!(ask(&deaf, &source, 7).await.0, new);
    measured(
        49,
        format_args!(
            "the server cut it off after {}; stale for {}; hears again {} after it reads",
            short(killed),
            short(stale),
            short(back)
        ),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_50_eviction_between_the_reply_and_its_use() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let hop = Scripted::start(server.addr()).await;
    let one = connected(of_url(&hop.url()).redis_budget(5 * SECOND)).await;
    let other = process(&server).await;
    let source = origin.source();
    // The reply of a read has left the server, and arrives behind the message of the eviction.
    let read = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&read);
    hop.say(move |parts| {
        if is(parts, "GET") && about(parts, "product:") {
            counted.fetch_add(1, Ordering::SeqCst);
            return Say::After(Duration::from_millis(3));
        }
        Say::Pass
    });
    let rounds = in_form(5_000, 300);
    let (mut kept, mut overtaken) = (0, 0);
    for id in 0..rounds {
        assert_eq!(ask(&other, &source, id).await.0, 1);
        let before = read.load(Ordering::SeqCst);
        let call = tokio::spawn({
            let (one, source) = (one.clone(), source.clone());
            async move { ask(&one, &source, id).await }
        });
        while read.load(Ordering::SeqCst) == before {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_micros(fastrand::u64(..1_500))).await;
        let new = origin.commit(&key(id));
        other
            .evict(Key::new(&key(id)))
            .await
            .expect("the server is up");
        let (value, _) = call.await.expect("it is answered");
        overtaken += u64::from(value < new);
        // The message may come a little later than this process has its reply; what is kept would stay.
        let answered = Instant::now();
        eventually::holds("what is new is read", async || {
            ask(&one, &source, id).await.0 == new
        })
        .await;
        kept += u64::from(answered.elapsed() > SECOND);
    }
    assert_eq!(kept, 0);
    assert!(overtaken > 0, "some replies are older than the eviction");
    measured(
        50,
        format_args!(
            "{rounds} rounds, {overtaken} replies overtaken by an eviction: {kept} of them kept"
        ),
    );
}

#[tokio::test]
async fn fault_51_everything_flushed() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let nodes = [process(&server).await, process(&server).await];
    let (source, rounds) = (origin.source(), in_form(10, 2));
    let mut worst = Duration::ZERO;
    for id in 0..rounds {
        for node in &nodes {
            in_memory(node, &source, id).await;
        }
        let new = origin.commit(&key(id));
        server.cli(&["FLUSHALL"]).await;
        let flushed = Instant::now();
        for node in &nodes {
            eventually::holds("memory from before is not believed", async || {
                ask(node, &source, id).await.0 == new
            })
            .await;
        }
        worst = worst.max(flushed.elapsed());
        for node in &nodes {
            assert_eq!(ask(node, &source, id).await.0, new);
        }
    }
    assert!(worst < SECOND + ROOM, "{worst:?}");
    measured(
        51,
        format_args!("{rounds} times: a new epoch after at most {}", short(worst)),
    );
}
