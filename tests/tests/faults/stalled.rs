//! A server that takes commands and does not answer, or too late.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, ErrorKind, Key, Served};
use tests::eventually;
use tests::proxy::{Mode, Proxy};
use tests::scenarios::functions::{key, product};
use tests::scenarios::origin::{End, Origin};
use tests::scenarios::processes::{ask, connected, of_url, process};
use tests::scripted::{Say, Scripted, is};
use tests::server::RedisServer;
use tests::times::Times;
use tokio::task::JoinSet;

use crate::kit::{
    AT_ONCE, LATE, ROOM, T, back_within, down_because, in_form, instant, is_alone, is_down, late,
    measured, megabytes_since, new_id, not_late, resident, short, stores_again, until_down,
};

const CALLERS: usize = 256;

/// How late callers are: those who came before Redis was known to be down, and after.
#[derive(Default)]
struct Lateness {
    before: Times,
    after: Times,
    /// Of callers who lost more than once to a server that stood still what a call may lose to Redis: when each of those calls began, and how late it was.
    again: Vec<Vec<(Duration, Duration)>>,
}

/// Callers who go on calling until they are told to stop.
struct Callers {
    stop: Arc<AtomicBool>,
    /// The server goes on. A call that begins from now on is late by what a starved machine takes to do it, if it is.
    goes_on: Arc<AtomicBool>,
    calls: JoinSet<Lateness>,
}

impl Callers {
    fn start(cache: &Cache) -> Callers {
        let (stop, goes_on) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let (started, mut calls) = (Instant::now(), JoinSet::new());
        for _ in 0..CALLERS {
            let cache = cache.clone();
            let (stop, goes_on) = (Arc::clone(&stop), Arc::clone(&goes_on));
            calls.spawn(async move {
                let (mut lateness, mut lost) = (Lateness::default(), Vec::new());
                while !stop.load(Ordering::SeqCst) {
                    let (stands, begun) = (!goes_on.load(Ordering::SeqCst), started.elapsed());
                    let (down, late) = (is_down(&cache), late(&cache).await);
                    if down {
                        lateness.after.add(late);
                    } else {
                        lateness.before.add(late);
                        if stands && late >= T * 9 / 10 {
                            lost.push((begun, late));
                        }
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                lateness.again.extend((lost.len() > 1).then_some(lost));
                lateness
            });
        }
        Callers {
            stop,
            goes_on,
            calls,
        }
    }

    /// Nobody went without an answer.
    async fn end(self) -> Lateness {
        self.stop.store(true, Ordering::SeqCst);
        let mut all = Lateness::default();
        for one in self.calls.join_all().await {
            all.before = all.before.and(one.before);
            all.after = all.after.and(one.after);
            all.again.extend(one.again);
        }
        all
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_05_sigstop() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (cache, other) = (
        connected(of_url(&server.url())).await,
        process(&server).await,
    );
    let source = origin.source();
    assert_eq!(ask(&cache, &source, 7).await, (1, Served::Loaded));
    // A load with a lease, whose store reaches the sleeping server behind the eviction of what it has loaded.
    origin.hold(1);
    let zombie = cache.as_current({
        let source = source.clone();
        async move { product(&source, 8).await }
    });
    let zombie = tokio::spawn(zombie);
    origin.begun(&key(8), 1).await;

    server.stop();
    let stopped = Instant::now();
    let callers = Callers::start(&cache);
    down_because(&cache, "").await;
    let opened = stopped.elapsed();
    for id in [7, 8] {
        origin.commit(&key(id));
        let error = cache
            .evict(Key::new(&key(id)))
            .await
            .expect_err("Redis is down");
        assert_eq!(error.kind(), ErrorKind::Queued);
    }
    origin.release(End::Value);
    assert_eq!(zombie.await.expect("it returns"), Ok(1), "it began before");
    for id in [7, 8] {
        assert_eq!(ask(&cache, &source, id).await.0, 2, "evicted here at once");
    }
    let lasting = in_form(Duration::from_secs(30), Duration::from_secs(3));
    tokio::time::sleep(lasting.saturating_sub(stopped.elapsed())).await;
    callers.goes_on.store(true, Ordering::SeqCst);
    server.cont();
    let woken = Instant::now();
    // The first reads of this process are as good as the last.
    while is_down(&cache) || cache.health().queued_evictions > 0 {
        for id in [7, 8] {
            assert_eq!(
                ask(&cache, &source, id).await.0,
                2,
                "an old value came back"
            );
        }
        assert!(woken.elapsed() < eventually::PATIENCE, "{}", cache.health());
    }
    let back = back_within(Duration::from_secs(2), &cache, &server, woken).await;
    eventually::holds("the evictions are delivered", async || {
        cache.health().queued_evictions == 0
    })
    .await;
    for node in [&cache, &other, &process(&server).await] {
        for id in [7, 8] {
            eventually::holds("what is new is read", async || {
                ask(node, &source, id).await.0 == 2
            })
            .await;
        }
    }
    let all = callers.end().await;
    let once = all.before.percentile(100);
    assert!(once < LATE, "{once:?}");
    assert!(all.again.is_empty(), "late again: {:?}", all.again);
    assert!(all.after.median() < AT_ONCE, "{}", all.after);
    measured(
        5,
        format_args!(
            "{} stopped under {CALLERS} callers: in flight at most {} late, known after {}, then {} late (p99 {}); back after {}; 0 stale",
            short(lasting),
            short(once),
            short(opened),
            short(all.after.median()),
            short(all.after.percentile(99)),
            short(back)
        ),
    );
}

#[tokio::test]
async fn fault_09_slow_by_half_a_second() {
    let server = RedisServer::start().await;
    let proxy = Proxy::start(server.addr()).await;
    let cache = connected(of_url(&server.url_via(&proxy))).await;
    proxy.set(Mode::Delay(Duration::from_millis(500))).await;
    let (calls, latest) = until_down(&cache).await;
    let then = not_late(&cache).await;
    let lasting = in_form(Duration::from_secs(20), Duration::from_secs(4));
    let (begun, mut was_down, mut flaps) = (Instant::now(), true, 0);
    while begun.elapsed() < lasting {
        let down = is_down(&cache);
        flaps += u32::from(was_down && !down);
        was_down = down;
        assert!(late(&cache).await < LATE);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(
        f64::from(flaps) <= lasting.as_secs_f64(),
        "{flaps} in {lasting:?}"
    );
    proxy.set(Mode::Pass).await;
    let back = back_within(
        Duration::from_millis(2_500),
        &cache,
        &server,
        Instant::now(),
    )
    .await;
    measured(
        9,
        format_args!(
            "{calls} calls at most {} late, then {}; {flaps} flaps in {}; back after {}",
            short(latest),
            short(then.median()),
            short(lasting),
            short(back)
        ),
    );
}

/// The number in a key of [`instant`].
fn id_in(key: &[u8]) -> Option<u64> {
    let key = std::str::from_utf8(key).ok()?;
    let (_, id) = key.trim_end_matches('}').split_once("instant:")?;
    id.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_56_ten_thousand_callers_of_a_stalled_server() {
    if !is_alone("stalled::fault_56_ten_thousand_callers_of_a_stalled_server") {
        return;
    }
    let server = RedisServer::start().await;
    let hop = Scripted::start(server.addr()).await;
    // What it would keep is no leak, and would look like one.
    let cache = connected(of_url(&hop.url()).no_memory()).await;
    let rounds = in_form(10, 3);
    let (mut memory, mut most, mut latest) = (0, 0, Duration::ZERO);
    for round in 0..rounds {
        stores_again(&cache, &server).await;
        let (asked, first) = (Arc::new(AtomicUsize::new(0)), new_id());
        let counted = Arc::clone(&asked);
        hop.say(move |parts| {
            // What is left of an earlier time may be read now.
            let is_new = is(parts, "GET") && parts.get(1).and_then(|key| id_in(key)) > Some(first);
            counted.fetch_add(usize::from(is_new), Ordering::SeqCst);
            Say::Nothing
        });
        let begun = Instant::now();
        let mut calls = JoinSet::new();
        for _ in 0..10_000 {
            let id = new_id();
            let call = cache.as_current(instant(id));
            calls.spawn(async move { call.await == id });
        }
        let answers = tokio::time::timeout(eventually::PATIENCE, calls.join_all()).await;
        assert!(
            answers
                .expect("nobody hangs")
                .into_iter()
                .all(|right| right)
        );
        let took = begun.elapsed();
        latest = latest.max(took);
        let reads = asked.load(Ordering::SeqCst);
        most = most.max(reads);
        // Until the fifth silence is counted, places that become free are taken again.
        assert!(
            (5..1_024 + 32).contains(&reads),
            "{reads} reads in {took:?}"
        );
        assert_eq!(cache_runtime::testing::leftovers(&cache).flights, 0);
        hop.say(|_| Say::Pass);
        if round == 0 {
            memory = resident();
        }
    }
    let grown = megabytes_since(memory);
    assert!(grown < 32, "{grown} MB more");
    assert!(latest < 20 * T + ROOM, "{latest:?}");
    measured(
        56,
        format_args!(
            "{rounds} times 10,000 callers answered within {}; at most {most} reads sent; {grown} MB more after the first time",
            short(latest)
        ),
    );
}
