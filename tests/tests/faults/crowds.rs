//! Many at once: processes that come back together, a hot key that expires, calls that are cancelled, loads that ask for each other.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::testing::{Leftovers, leftovers};
use cache_runtime::{Cache, Served, cacheable, traced};
use tests::eventually;
use tests::scenarios::origin::{End, Origin, Source};
use tests::scenarios::processes::{builder, connected, of_url, process};
use tests::server::RedisServer;
use tokio::task::JoinSet;

use crate::kit::{ROOM, in_form, measured, short};

async fn figure(server: &RedisServer, section: &str, name: &str) -> i64 {
    let info = server.cli(&["INFO", section]).await.text();
    let figure = info
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    figure
        .and_then(|figure| figure.trim().parse().ok())
        .unwrap_or_else(|| panic!("the server tells no {name}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_57_two_hundred_clients_come_back() {
    const CLIENTS: usize = 200;
    // Two connections each, and the harness's own.
    let places = ["--maxclients", "410"];
    let server = RedisServer::builder().args(&places).start().await;
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(connected(of_url(&server.url()).redis_budget(Duration::from_secs(5))).await);
    }
    server.kill();
    tokio::time::sleep(Duration::from_secs(3)).await;
    server.restart().await;
    let (begun, mut arrivals) = (Instant::now(), Vec::new());
    eventually::holds("all are back", async || {
        let here = figure(&server, "clients", "connected_clients").await;
        arrivals.push((begun.elapsed(), here));
        clients.iter().all(|client| client.health().is_ok())
    })
    .await;
    let all = begun.elapsed();
    let most = arrivals
        .iter()
        .map(|(_, here)| *here)
        .max()
        .unwrap_or_default();
    let when = |share: i64| {
        let enough = |(_, here): &&(Duration, i64)| *here * 100 >= most * share;
        arrivals.iter().find(enough).map_or(all, |(when, _)| *when)
    };
    let spread = when(98).saturating_sub(when(5));
    let refused = figure(&server, "stats", "rejected_connections").await;
    assert_eq!(refused, 0, "nobody is sent away");
    assert!(
        spread >= Duration::from_secs(1),
        "they come together: {spread:?}"
    );
    assert!(all < Duration::from_millis(4_500) + ROOM, "{all:?}");
    measured(
        57,
        format_args!(
            "{CLIENTS} clients: connections spread over {}, all back after {}, {refused} refused",
            short(spread),
            short(all)
        ),
    );
}

#[cacheable(
    key = "hot",
    ttl = "1s",
    jitter = 0.0,
    stampede_protection,
    wait_timeout = "60s"
)]
async fn hot(loads: Arc<AtomicU64>) -> u64 {
    tokio::time::sleep(Duration::from_millis(20)).await;
    loads.fetch_add(1, Ordering::SeqCst) + 1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_58_hot_key_expires() {
    let server = RedisServer::start().await;
    let (nodes, callers) = in_form((100, 100), (20, 20));
    let (loads, mut calls) = (Arc::new(AtomicU64::new(0)), JoinSet::new());
    let mut all = Vec::new();
    for _ in 0..nodes {
        all.push(process(&server).await);
    }
    let lasting = in_form(Duration::from_secs(10), Duration::from_secs(4));
    let begun = Instant::now();
    for node in &all {
        for _ in 0..callers {
            let (node, loads) = (node.clone(), Arc::clone(&loads));
            calls.spawn(async move {
                let mut calls = 0_u64;
                while begun.elapsed() < lasting {
                    node.as_current(hot(Arc::clone(&loads))).await;
                    calls += 1;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                calls
            });
        }
    }
    let calls: u64 = calls.join_all().await.into_iter().sum();
    let (took, loads) = (begun.elapsed(), loads.load(Ordering::SeqCst));
    // One at the start, one whenever it has expired; one more for a lease that was lost.
    let expiries = took.as_secs() + 1;
    assert!(
        loads <= expiries + 1 && loads > 1,
        "{loads} loads in {took:?}"
    );
    measured(
        58,
        format_args!(
            "{nodes} processes of {callers} callers, {calls} calls in {}: {loads} loads of a ttl of 1 s",
            short(took)
        ),
    );
}

#[cacheable(key = "echo:{id}", l1 = false, ttl = "10m")]
async fn echo(id: u64) -> String {
    format!("{id}:{}", "x".repeat((id * 37 % 500) as usize))
}

/// Ends when its turn has come so often.
async fn turns(count: u8) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_62_cancelled_calls() {
    const KEYS: u64 = 500;
    let server = RedisServer::start().await;
    let cache = connected(builder(&server).no_memory()).await;
    for id in 0..KEYS {
        cache.as_current(echo(id)).await;
    }
    let seed = tests::variables::number("SEED").unwrap_or_else(|| fastrand::u64(..));
    let mut random = fastrand::Rng::with_seed(seed);
    let wanted = in_form(100_000, 10_000);
    let (mut cancelled, mut answered, mut calls) = (0_u64, 0_u64, JoinSet::new());
    while cancelled < wanted {
        let (id, cache) = (random.u64(..KEYS), cache.clone());
        // Dropped after its first step or a later one: what was never begun has sent nothing.
        let cut = random.bool().then(|| random.u8(..6));
        calls.spawn(async move {
            let call = cache.as_current(traced(echo(id)));
            let (said, served) = match cut {
                None => call.await,
                Some(count) => tokio::select! {
                    biased;
                    answer = call => answer,
                    () = turns(count) => return None,
                },
            };
            let whole = format!("{id}:{}", "x".repeat((id * 37 % 500) as usize));
            assert_eq!(said, whole, "a reply was another's");
            Some(matches!(served, Some(Served::Redis | Served::Shared)))
        });
        while calls.len() > 64 {
            match calls.join_next().await {
                Some(Ok(Some(stored))) => {
                    assert!(stored, "SEED={seed}: a reply was another's");
                    answered += 1;
                }
                Some(Ok(None)) => cancelled += 1,
                Some(Err(error)) => panic!("SEED={seed}: {error}"),
                None => {}
            }
        }
    }
    calls.shutdown().await;
    let errors = cache.stats().total;
    let errors = (errors.decode_errors, errors.redis_errors, errors.loads);
    assert_eq!(errors, (0, 0, KEYS), "SEED={seed}");
    assert!(answered > wanted / 4, "{answered} beside {cancelled}");
    measured(
        62,
        format_args!(
            "{cancelled} calls cancelled under way, {answered} answered: 0 replies of others"
        ),
    );
}

#[cacheable(key = "same:{id}", ttl = "1h", stampede_protection)]
fn same(id: u64, depth: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move {
        if depth == 0 {
            return 1;
        }
        same(id, depth - 1).await + 1
    })
}

#[tokio::test]
async fn fault_52_load_that_asks_for_its_own_key() {
    let server = RedisServer::start().await;
    let cache = process(&server).await;
    let begun = Instant::now();
    let call = cache.as_current(traced(same(7, 20)));
    let answer = tokio::time::timeout(eventually::PATIENCE, call).await;
    assert_eq!(
        answer.expect("it does not wait for itself"),
        (21, Some(Served::Loaded))
    );
    let took = begun.elapsed();
    assert!(took < ROOM, "{took:?}");
    let total = cache.stats().total;
    assert_eq!((total.loads, total.bypassed), (1, 20));
    assert_eq!(leftovers(&cache), Leftovers::default());
    measured(
        52,
        format_args!("20 deep in {}: 1 load, 20 ran through", short(took)),
    );
}

/// Each loads what the other is loading.
#[cacheable(
    key = "ring:{at}",
    stampede_protection = "fleet",
    wait_timeout = "300ms"
)]
async fn ring(source: &Source, at: u64, left: u64) -> u64 {
    source.load("ring").await.expect("the origin is up");
    if left == 0 {
        return 0;
    }
    1 + Box::pin(ring(source, 1 - at, left - 1)).await
}

#[tokio::test]
async fn fault_53_loads_that_wait_for_each_other() {
    const PATIENCE: Duration = Duration::from_millis(300);
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (one, other, source) = (
        process(&server).await,
        process(&server).await,
        origin.source(),
    );
    let mut longest = [Duration::ZERO; 2];
    // In one process, and between two.
    for (place, second) in [&one, &other].into_iter().enumerate() {
        for _ in 0..in_form(10, 2) {
            for cache in [&one, &other] {
                let evicted = cache.evict(cache_runtime::Evict::all()).await;
                evicted.expect("the server is up");
            }
            let before = origin.loads("ring");
            origin.hold(2);
            let mut took = Duration::ZERO;
            let start = async |cache: &Cache, at| cache.as_current(ring(&source, at, 1)).await;
            let both = async {
                origin.begun("ring", before + 2).await;
                origin.release(End::Value);
                Instant::now()
            };
            let all = async { tokio::join!(start(&one, 0), start(second, 1), both) };
            let all = tokio::time::timeout(eventually::PATIENCE, all).await;
            let (at_zero, at_one, met) = all.expect("nobody is stuck");
            took = took.max(met.elapsed());
            // Who gives up first loads what it waited for; the other may still get its value.
            assert!(
                (1..=2).contains(&at_zero) && (1..=2).contains(&at_one),
                "{at_zero} {at_one}"
            );
            assert!(took < 2 * PATIENCE + ROOM, "{took:?}");
            longest[place] = longest[place].max(took);
        }
    }
    for cache in [&one, &other] {
        assert_eq!(leftovers(cache), Leftovers::default());
    }
    measured(
        53,
        format_args!(
            "with a patience of 300 ms: resolved after {} in one process, {} between two",
            short(longest[0]),
            short(longest[1])
        ),
    );
}
