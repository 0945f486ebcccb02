//! Redis in trouble: the annotated function answers all the same, and uses Redis again when it is well.

use std::time::{Duration, Instant};

use cache_runtime::{Cache, RedisHealth, Served, cacheable};
use tests::eventually;
use tests::logs::Logs;
use tests::proxy::{Mode, Proxy};
use tests::scenarios::functions::key;
use tests::scenarios::origin::{Origin, Source};
use tests::scenarios::processes::{ask, connected, has, of_url, value_of};
use tests::server::RedisServer;
use tokio::task::JoinSet;
use tracing::Level;

/// Many budgets of 100 ms, and far less than a caller that hangs on a socket.
const SOON: Duration = Duration::from_secs(10);

/// The reason health gives for Redis being down, once it says so.
async fn why_down(cache: &Cache) -> String {
    eventually::some("health says that Redis is down", async || {
        match cache.health().redis {
            RedisHealth::Down { why, .. } => Some(why),
            _ => None,
        }
    })
    .await
}

/// Calls for new keys, all answered by the origin, each soon.
async fn loads_without_redis(cache: &Cache, source: &Source, ids: std::ops::Range<u64>) {
    for id in ids {
        let started = Instant::now();
        assert_eq!(ask(cache, source, id).await, (1, Served::Loaded));
        assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
        // Memory takes it in only as long as the way for messages is not known to be gone.
        let (value, served) = ask(cache, source, id).await;
        assert!(value == 1 && matches!(served, Served::Memory | Served::Loaded));
    }
}

/// Redis is used again, by the same process.
async fn recovers(cache: &Cache, server: &RedisServer, source: &Source, mut id: u64) {
    cache
        .ready(eventually::PATIENCE)
        .await
        .unwrap_or_else(|health| panic!("{health}"));
    eventually::holds("a loaded value is stored in Redis", async || {
        id += 1;
        assert_eq!(ask(cache, source, id).await, (1, Served::Loaded));
        has(server, &value_of(&key(id))).await
    })
    .await;
    eventually::holds("health is well again", async || cache.health().is_ok()).await;
}

#[tokio::test]
async fn redis_that_is_absent_at_the_start_is_used_when_it_comes() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    server.kill();
    let cache = of_url(&server.url()).build().unwrap();
    loads_without_redis(&cache, &origin.source(), 0..20).await;
    assert!(!why_down(&cache).await.is_empty());
    assert!(!cache.health().is_ok());
    server.restart().await;
    recovers(&cache, &server, &origin.source(), 100).await;
}

#[tokio::test]
async fn killed_redis_is_done_without_and_found_again_empty() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let cache = connected(of_url(&server.url())).await;
    assert_eq!(ask(&cache, &origin.source(), 1).await, (1, Served::Loaded));
    server.kill();
    assert_eq!(ask(&cache, &origin.source(), 1).await, (1, Served::Memory));
    loads_without_redis(&cache, &origin.source(), 2..20).await;
    assert!(!why_down(&cache).await.is_empty());
    server.restart().await;
    recovers(&cache, &server, &origin.source(), 100).await;
    let other = connected(of_url(&server.url())).await;
    assert_eq!(
        ask(&other, &origin.source(), 1).await.1,
        Served::Loaded,
        "the new server is empty"
    );
}

#[tokio::test]
async fn redis_restarted_between_two_calls_costs_no_error() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let cache = connected(of_url(&server.url()).no_memory()).await;
    for round in 0..3 {
        assert_eq!(ask(&cache, &origin.source(), round).await.0, 1);
        server.restart().await;
        assert_eq!(
            ask(&cache, &origin.source(), round).await,
            (1, Served::Loaded)
        );
        cache.ready(eventually::PATIENCE).await.unwrap();
    }
}

#[tokio::test]
async fn stopped_redis_costs_a_few_budgets_and_then_nothing() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let cache = connected(of_url(&server.url())).await;
    server.stop();
    loads_without_redis(&cache, &origin.source(), 0..8).await;
    assert!(
        why_down(&cache).await.contains("no answer"),
        "{}",
        cache.health()
    );
    let started = Instant::now();
    loads_without_redis(&cache, &origin.source(), 100..300).await;
    // Two hundred budgets would be 20 seconds.
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    server.cont();
    recovers(&cache, &server, &origin.source(), 1000).await;
}

#[tokio::test]
async fn half_open_connection_is_noticed_and_replaced() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let proxy = Proxy::start(server.addr()).await;
    let cache = connected(of_url(&server.url_via(&proxy))).await;
    let before = proxy.accepted();
    proxy.black_hole_existing();
    // Nothing is called: an idle link has to notice too.
    eventually::holds("there is another connection", async || {
        proxy.accepted() > before
    })
    .await;
    recovers(&cache, &server, &origin.source(), 100).await;
    proxy.black_hole_existing();
    loads_without_redis(&cache, &origin.source(), 0..8).await;
    recovers(&cache, &server, &origin.source(), 200).await;
}

#[tokio::test]
async fn network_that_swallows_everything_is_done_without() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let proxy = Proxy::start(server.addr()).await;
    proxy.set(Mode::BlackHole).await;
    let cache = of_url(&server.url_via(&proxy)).build().unwrap();
    loads_without_redis(&cache, &origin.source(), 0..8).await;
    why_down(&cache).await;
    proxy.set(Mode::Pass).await;
    recovers(&cache, &server, &origin.source(), 100).await;
}

#[tokio::test]
async fn wrong_password_is_told_and_heals_when_it_is_right() {
    let logs = Logs::capture();
    let server = RedisServer::builder().password("kept1secret").start().await;
    let origin = Origin::start().await;
    let cache = of_url(&format!("redis://:other2secret@{}", server.addr()))
        .build()
        .unwrap();
    loads_without_redis(&cache, &origin.source(), 0..10).await;
    let why = why_down(&cache).await;
    assert!(
        why.contains("WRONGPASS") || why.contains("password"),
        "{why}"
    );
    server.set_password(Some("other2secret")).await;
    recovers(&cache, &server, &origin.source(), 100).await;
    // And once more under a connection that works.
    server.set_password(Some("third3secret")).await;
    why_down(&cache).await;
    loads_without_redis(&cache, &origin.source(), 200..210).await;
    server.set_password(Some("other2secret")).await;
    recovers(&cache, &server, &origin.source(), 300).await;
    assert!(
        logs.seen().len() > 3,
        "the logs are there to be looked into: {:?}",
        logs.seen()
    );
    let told = format!(
        "{cache:?} {:?} {} {:?}",
        cache.health(),
        cache.health(),
        logs.all()
    );
    assert!(!told.contains("secret"), "{told}");
}

#[tokio::test]
async fn passwords_are_in_no_build_error_either() {
    for url in [
        "redis://:pa:ss/wo@rd@host:99999",
        "redis://user:geheim@host:port/0",
        "rediss://:geheim@/x/y",
    ] {
        let builder = format!("{:?}", of_url(url));
        assert!(
            !builder.contains("geheim") && !builder.contains("pa:ss"),
            "{builder}"
        );
        let error = of_url(url).build().unwrap_err();
        let told = format!("{error} {error:?}");
        assert!(
            !told.contains("geheim") && !told.contains("pa:ss"),
            "{told}"
        );
        assert!(told.contains("redis"), "it names the setting: {told}");
    }
}

#[tokio::test]
async fn each_change_of_state_is_one_line_and_calls_are_none() {
    let logs = Logs::capture();
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let cache = connected(of_url(&server.url())).await;
    // Of the connection for commands, and of the one for messages.
    let levels = || {
        let mut levels = [Vec::new(), Vec::new()];
        for (level, line) in logs.seen() {
            levels[usize::from(line.contains("evictions of other processes"))].push(level);
        }
        levels
    };
    let both = |levels: &[Level]| [levels.to_vec(), levels.to_vec()];
    assert_eq!(levels(), both(&[Level::INFO]), "{:?}", logs.seen());
    server.kill();
    loads_without_redis(&cache, &origin.source(), 0..50).await;
    why_down(&cache).await;
    eventually::holds("both are told to be lost, once", async || {
        levels() == both(&[Level::INFO, Level::WARN])
    })
    .await;
    server.restart().await;
    recovers(&cache, &server, &origin.source(), 100).await;
    assert_eq!(
        levels(),
        both(&[Level::INFO, Level::WARN, Level::INFO]),
        "{:?}",
        logs.seen()
    );
}

#[cacheable(key = "square:{number}", stampede_protection)]
async fn square(number: u64) -> u64 {
    number * number
}

#[tokio::test]
async fn ten_thousand_callers_of_a_stopped_redis_are_all_answered() {
    let server = RedisServer::start().await;
    let cache = connected(of_url(&server.url()).max_in_flight(64)).await;
    server.stop();
    let mut calls = JoinSet::new();
    for number in 0..10_000 {
        let call = cache.as_current(square(number));
        calls.spawn(async move { (number, call.await) });
    }
    let answers = tokio::time::timeout(eventually::PATIENCE, calls.join_all()).await;
    let answers = answers.expect("nobody hangs");
    assert_eq!(answers.len(), 10_000);
    assert!(
        answers
            .iter()
            .all(|&(number, squared)| squared == number * number)
    );
    assert_eq!(cache.stats().total.loads, 10_000);
    assert_eq!(cache_runtime::testing::leftovers(&cache).flights, 0);
    server.cont();
    cache.ready(eventually::PATIENCE).await.unwrap();
}
