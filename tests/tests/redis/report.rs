//! What `Cache::report` finds on real servers, and what of it is logged.

use std::time::Duration;

use cache_runtime::{Cache, Evict, Finding, Severity, cacheable};
use tests::eventually;
use tests::logs::Logs;
use tests::scenarios::processes::{builder, connected, of_url, process};
use tests::server::RedisServer;
use tracing::Level;

#[cacheable(key = "of:{password}", secret(password))]
async fn hidden(password: &str) -> u64 {
    password.len() as u64
}

async fn report(cache: &Cache) -> Vec<(&'static str, Option<String>)> {
    let found: Vec<Finding> = cache.report().await;
    found.into_iter().map(|it| (it.code, it.site)).collect()
}

fn warnings(logs: &Logs) -> Vec<String> {
    let all = logs.all().into_iter();
    let ours = all.filter(|(_, line)| line.starts_with("cache_runtime::report"));
    let lines = ours.map(|(level, line)| {
        assert_eq!(level, Level::WARN);
        line
    });
    lines.collect()
}

#[tokio::test]
async fn a_server_that_endangers_leases_is_found_and_logged_once() {
    let logs = Logs::capture();
    let server = RedisServer::start().await;
    let cache = process(&server).await;
    assert_eq!(report(&cache).await, [("maxmemory-unset", None)]);
    assert_eq!(warnings(&logs), [""; 0], "advice is for who asks");
    for (name, value) in [("maxmemory", "100mb"), ("maxmemory-policy", "volatile-ttl")] {
        server.cli(&["CONFIG", "SET", name, value]).await;
    }
    assert_eq!(report(&cache).await, [("maxmemory-takes-leases", None)]);
    let all = cache.report().await;
    assert_eq!(all[0].severity, Severity::Warning);

    let other = process(&server).await;
    let logged = || warnings(&logs).len();
    eventually::holds("it is logged", async || logged() == 1).await;
    let line = warnings(&logs).remove(0);
    for part in [
        "code=\"maxmemory-takes-leases\"",
        "severity=Warning",
        "cache=",
        "allkeys-lru",
    ] {
        assert!(line.contains(part), "{line}");
    }
    // Every connection is looked at, and nothing is said twice.
    server.cli(&["CLIENT", "KILL", "TYPE", "normal"]).await;
    for cache in [&cache, &other] {
        eventually::holds("it is connected again", async || {
            cache.evict(Evict::tag("a")).await.is_ok() && cache.health().is_ok()
        })
        .await;
    }
    eventually::holds("the first has said it as well", async || logged() == 2).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(logged(), 2);
}

#[tokio::test]
async fn an_account_that_may_not_ask_is_told_so_when_it_asks() {
    let server = RedisServer::start().await;
    let rights = [
        "ACL", "SETUSER", "app", "on", ">s3cret", "~*", "&*", "+@all", "-info",
    ];
    server.cli(&rights).await;
    let url = server.url().replace("://", "://app:s3cret@");
    let cache = connected(of_url(&url)).await;
    assert!(cache.health().is_ok(), "{}", cache.health());
    assert!(
        server.cli(&["ACL", "LOG"]).await.list().is_empty(),
        "nobody has asked"
    );
    assert_eq!(report(&cache).await, [("server-unknown", None)]);
    let what = cache.report().await.remove(0).what;
    assert!(
        what.contains("NOPERM") && !what.contains("s3cret"),
        "{what}"
    );
}

#[tokio::test]
async fn a_secret_without_a_key_and_a_server_that_is_gone_are_found() {
    let server = RedisServer::start().await;
    let cache = connected(builder(&server).redis_budget(Duration::from_secs(5))).await;
    assert_eq!(cache.as_current(hidden("abc")).await, 3);
    let found = cache.report().await;
    let secret = found.iter().find(|it| it.code == "secret-without-key");
    let site = secret.and_then(|it| it.site.as_deref()).unwrap_or_default();
    assert!(site.ends_with("hidden"), "{found:?}");
    server.kill();
    eventually::holds("it is known to be gone", async || {
        report(&cache)
            .await
            .iter()
            .any(|(code, _)| *code == "redis-down")
    })
    .await;
}

#[cacheable(key = "{table}:{id}")]
async fn cell(table: &str, id: u64) -> String {
    format!("{table} {id}")
}

#[tokio::test]
async fn keys_that_may_lie_in_any_region_are_found() {
    let server = RedisServer::start().await;
    let cache = process(&server).await;
    assert_eq!(cache.as_current(cell("shelf", 7)).await, "shelf 7");
    let found = async || {
        let all = cache.report().await.into_iter();
        let mut all = all.filter(|it| it.code == "key-without-region");
        let found = all.next().expect("it is found");
        assert!(found.site.is_some_and(|site| site.ends_with("cell")));
        found.severity
    };
    assert_eq!(found().await, Severity::Advice);
    cache
        .evict(Evict::region("list"))
        .await
        .expect("Redis is up");
    assert_eq!(found().await, Severity::Warning);
}
