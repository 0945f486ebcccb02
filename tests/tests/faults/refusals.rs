//! A server that answers, and says no: it loads, it knows no such password, the account may not, there are too many.

use std::time::{Duration, Instant};

use cache_runtime::{BusHealth, Evict, RedisHealth, Served};
use tests::eventually;
use tests::logs::Logs;
use tests::scenarios::functions::key;
use tests::scenarios::origin::Origin;
use tests::scenarios::processes::{ask, connected, has, of_url, process, value_of};
use tests::server::RedisServer;
use tokio::net::TcpStream;

use crate::kit::{
    LATE, ROOM, back_within, down_because, in_form, is_down, late, measured, not_late, short,
    stores_again, until_down,
};

const BACKOFF: Duration = Duration::from_millis(2_500);

#[tokio::test]
async fn fault_18_loading() {
    let slowly = [
        "--key-load-delay",
        "100",
        "--loading-process-events-interval-bytes",
        "1024",
    ];
    let server = RedisServer::builder().args(&slowly).start().await;
    let cache = connected(of_url(&server.url())).await;
    stores_again(&cache, &server).await;
    let keys = in_form("100000", "30000");
    server
        .cli(&["DEBUG", "POPULATE", keys, "filler", "50"])
        .await;
    server.cli(&["SAVE"]).await;
    server.restart().await;
    let begun = Instant::now();
    let loading = async || {
        let info = server.cli(&["INFO", "persistence"]).await.text();
        info.contains("loading:1")
    };
    assert!(loading().await, "it takes a while");
    assert_eq!(
        server.cli(&["PING"]).await.text(),
        "LOADING Redis is loading the dataset in memory"
    );
    let why = down_because(&cache, "LOADING").await;
    let known = begun.elapsed();
    let (mut latest, mut calls) = (Duration::ZERO, 0);
    while loading().await {
        latest = latest.max(late(&cache).await);
        assert!(is_down(&cache), "a server that loads is none: {why}");
        calls += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (lasted, loaded) = (begun.elapsed(), Instant::now());
    assert!(latest < LATE && calls > 10, "{latest:?} in {calls} calls");
    let back = back_within(BACKOFF, &cache, &server, loaded).await;
    measured(
        18,
        format_args!(
            "LOADING for {}, known after {}; {calls} calls at most {} late; back after {}",
            short(lasted),
            short(known),
            short(latest),
            short(back)
        ),
    );
}

#[tokio::test]
async fn fault_19_wrong_password_then_the_right_one() {
    let logs = Logs::capture();
    let server = RedisServer::builder()
        .password("first1secret")
        .start()
        .await;
    let cache = connected(of_url(&server.url())).await;
    // It comes back with another password, then with the one that is known: as it was before, and while it runs.
    server.set_password(Some("second2secret")).await;
    server.restart().await;
    let why = down_because(&cache, "WRONGPASS").await;
    let then = not_late(&cache).await;
    tokio::time::sleep(in_form(Duration::from_secs(20), Duration::from_secs(3))).await;
    server.set_password(Some("first1secret")).await;
    let back = back_within(BACKOFF, &cache, &server, Instant::now()).await;
    server.set_password(Some("third3secret")).await;
    until_down(&cache).await;
    server.set_password(Some("first1secret")).await;
    let again = back_within(BACKOFF, &cache, &server, Instant::now()).await;
    let health = cache.health();
    let told = format!("{cache:?} {health:?} {health} {why} {:?}", logs.all());
    assert!(logs.all().len() > 3, "the logs are there to be looked into");
    assert!(!told.contains("secret"), "{told}");
    measured(
        19,
        format_args!(
            "calls {} late meanwhile; back {} and {} after the password was right; told nowhere",
            short(then.median()),
            short(back),
            short(again)
        ),
    );
}

#[tokio::test]
async fn fault_20_missing_permissions() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let source = origin.source();
    // What is taken away, what health names, and whether values still reach Redis.
    let cases = [
        ("-@dangerous", "", true),
        ("-scan", "SCAN", true),
        ("-publish", "PUBLISH", true),
        ("-unlink", "UNLINK", true),
        ("-set", "SET", false),
        ("-get", "GET", false),
        ("-eval -evalsha", "EVAL", false),
        ("-hget -hset -hgetall -hexists", "HSET", false),
    ];
    for (id, (rule, missing, stores)) in (0..).zip(cases) {
        let account =
            format!("ACL SETUSER app{id} on >s3cret ~shop:* resetchannels &shop:* +@all {rule}");
        let set = server.cli(&account.split(' ').collect::<Vec<_>>()).await;
        assert_eq!(set.text(), "OK");
        let cache = of_url(&format!("redis://app{id}:s3cret@{}", server.addr()))
            .redis_budget(Duration::from_secs(5));
        let cache = cache.build().expect("nothing is connected here");
        let _ = cache.ready(Duration::from_secs(2)).await;
        let told = cache.health();
        match &told.redis {
            RedisHealth::Connected { .. } => assert_eq!(missing, "", "{rule}: {told:?}"),
            RedisHealth::Degraded { missing: named, .. } => assert!(
                !missing.is_empty() && named.iter().any(|it| it.starts_with(missing)),
                "{rule}: {named:?}"
            ),
            RedisHealth::Down { why, .. } => {
                assert!(
                    !stores && why.to_lowercase().contains("permission"),
                    "{rule}: {why}"
                );
            }
            other => panic!("{rule}: {other:?}"),
        }
        for _ in 0..2 {
            assert_eq!(ask(&cache, &source, id).await.0, 1, "{rule}");
        }
        assert_eq!(
            has(&server, &value_of(&key(id))).await,
            stores,
            "{rule}: {told:?}"
        );
    }
    // No channels: what it cannot hear of it believes for a second.
    let deaf = "ACL SETUSER deaf on >s3cret ~shop:* +@all resetchannels";
    server.cli(&deaf.split(' ').collect::<Vec<_>>()).await;
    let deaf = of_url(&format!("redis://deaf:s3cret@{}", server.addr()));
    let deaf = connected(deaf.redis_budget(Duration::from_secs(5))).await;
    let bus = deaf.health().bus;
    assert!(
        matches!(&bus, BusHealth::Unsupported { why } if why.contains("channel")),
        "{bus:?}"
    );
    assert_eq!(ask(&deaf, &source, 100).await.0, 1);
    let changed = origin.commit(&key(100));
    process(&server)
        .await
        .evict(Evict::pattern("*"))
        .await
        .expect("the server is up");
    let evicted = Instant::now();
    eventually::holds("what is new is read", async || {
        ask(&deaf, &source, 100).await.0 == changed
    })
    .await;
    let stale = evicted.elapsed();
    assert!(stale < Duration::from_secs(1) + ROOM, "{stale:?}");
    measured(
        20,
        format_args!(
            "{} sets of permissions: what is missing named, callers answered; without channels stale for {}",
            cases.len(),
            short(stale)
        ),
    );
}

#[tokio::test]
async fn fault_21_too_many_clients() {
    let server = RedisServer::builder()
        .args(&["--maxclients", "4"])
        .start()
        .await;
    let mut hogs = Vec::new();
    eventually::holds("nobody else is let in", async || {
        if server
            .try_cli(&["PING"])
            .await
            .is_ok_and(|it| it.text() == "PONG")
        {
            hogs.push(TcpStream::connect(server.addr()).await);
        }
        hogs.len() >= 4
            && server
                .try_cli(&["PING"])
                .await
                .map_or(true, |it| it.text() != "PONG")
    })
    .await;
    let cache = of_url(&server.url());
    let cache = cache.build().expect("nothing is connected here");
    let (_, latest) = until_down(&cache).await;
    // Its words, or a reset that overtakes them.
    let why = down_because(&cache, "").await;
    let then = not_late(&cache).await;
    tokio::time::sleep(in_form(Duration::from_secs(10), Duration::from_secs(2))).await;
    assert!(is_down(&cache), "{why}");
    hogs.clear();
    let back = back_within(Duration::from_secs(2), &cache, &server, Instant::now()).await;
    eventually::holds("evictions are heard as well", async || {
        cache.health().is_ok()
    })
    .await;
    assert!(matches!(
        cache
            .as_current(cache_runtime::traced(crate::kit::instant(0)))
            .await
            .1,
        Some(Served::Loaded)
    ));
    measured(
        21,
        format_args!(
            "`{why}`: at most {} late, then {}; back {} after places were free",
            short(latest),
            short(then.median()),
            short(back)
        ),
    );
}
