//! Secret arguments: in no key, value, command or log line; and no cache without a key to digest them with.

use cache_runtime::{CacheBuilder, Evict, Served, Why, cache_evict, cacheable, traced};
use tests::eventually;
use tests::logs::Logs;
use tests::scenarios::processes::{builder, connected, keys};
use tests::server::RedisServer;

const TOKEN: &str = "t0psecret";

#[cacheable(key = "session:{token}:{page}", secret(token), tags = ["session:{token}"], scope = "user:{token}")]
async fn session(token: &str, page: &str) -> usize {
    token.len() + page.len()
}

#[cacheable(secret(token), skip(_unused))]
async fn by_default_key(token: &str, _unused: u64) -> usize {
    token.len()
}

#[cache_evict(pattern = "session:*")]
async fn log_out_everybody() {}

#[cache_evict(key = "session:{token}:{page}", scope = "user:{token}", secret(token))]
async fn log_out(token: &str, page: &str) {
    let _ = (token, page);
}

#[cache_evict(tags = ["session:{token}"], secret(token))]
async fn log_out_of_all(token: &str) {
    let _ = token;
}

#[cache_evict(scope = "user:{token}", secret(token))]
async fn forget(token: &str) {
    let _ = token;
}

fn with_secret(server: &RedisServer, secret: u8) -> CacheBuilder {
    builder(server).key_secret([secret; 32])
}

fn shows(text: &str) -> bool {
    text.contains(TOKEN)
}

/// No key, and nothing under one, shows the token: neither entries nor what the cache keeps for itself.
async fn redis_does_not_show_it(server: &RedisServer) {
    let all = server.cli(&["KEYS", "*"]).await.list();
    for kind in [":#tag:{session:", ":#tag:{#s:user%3A", ":#sites"] {
        assert!(all.iter().any(|key| key.contains(kind)), "{kind}: {all:?}");
    }
    for key in all {
        assert!(!shows(&key), "{key}");
        for read in ["GET", "HGETALL"] {
            assert!(!shows(&server.cli(&[read, &key]).await.text()), "{key}");
        }
    }
}

#[tokio::test]
async fn secret_argument_reaches_no_key_value_command_or_log() {
    let logs = Logs::capture();
    let server = RedisServer::start().await;
    let mut monitor = server.monitor().await;
    let cache = connected(with_secret(&server, 1)).await;
    let long = "p".repeat(600);
    for page in ["a", &long] {
        assert_eq!(
            cache.as_current(traced(session(TOKEN, page))).await.1,
            Some(Served::Loaded)
        );
        assert_eq!(
            cache.as_current(traced(session(TOKEN, page))).await.1,
            Some(Served::Memory)
        );
    }
    cache.as_current(by_default_key(TOKEN, 1)).await;
    assert_eq!(keys(&server).await.len(), 3);
    redis_does_not_show_it(&server).await;
    cache.as_current(log_out_everybody()).await;
    eventually::holds("patterns reach them by what is not secret", async || {
        keys(&server).await.len() == 1
    })
    .await;
    let commands = monitor.take().await;
    assert!(commands.len() > 9, "{commands:?}");
    assert!(!commands.iter().any(|command| shows(&command.text())));
    assert!(!shows(&format!(
        "{cache:?} {:?} {:?}",
        cache.stats(),
        cache.health()
    )));
    assert!(!logs.all().is_empty());
    assert!(
        !logs.all().iter().any(|(_, line)| shows(line)),
        "{:?}",
        logs.all()
    );
}

#[tokio::test]
async fn eviction_by_a_secret_argument_finds_the_entry_and_shows_nothing() {
    let server = RedisServer::start().await;
    let cache = connected(with_secret(&server, 1)).await;
    let served = async |token| cache.as_current(traced(session(token, "a"))).await.1;
    for token in [TOKEN, "another"] {
        served(token).await;
    }
    for way in ["key", "tag", "scope"] {
        assert_eq!(served(TOKEN).await, Some(Served::Memory));
        let mut monitor = server.monitor().await;
        cache
            .as_current(async {
                match way {
                    "key" => log_out(TOKEN, "a").await,
                    "tag" => log_out_of_all(TOKEN).await,
                    _ => forget(TOKEN).await,
                }
            })
            .await;
        assert_eq!(served(TOKEN).await, Some(Served::Loaded), "{way}");
        assert_eq!(served("another").await, Some(Served::Memory), "{way}");
        let commands = monitor.take().await;
        assert!(commands.iter().any(|command| command.name() == "EVALSHA"));
        assert!(!commands.iter().any(|command| shows(&command.text())));
    }
    redis_does_not_show_it(&server).await;
}

#[tokio::test]
async fn processes_with_the_same_key_secret_share_entries_and_others_do_not() {
    let server = RedisServer::start().await;
    let one = connected(with_secret(&server, 1)).await;
    let same = connected(with_secret(&server, 1)).await;
    let another = connected(with_secret(&server, 2)).await;
    one.as_current(session(TOKEN, "a")).await;
    assert_eq!(
        same.as_current(traced(session(TOKEN, "a"))).await.1,
        Some(Served::Redis)
    );
    assert_eq!(
        same.as_current(traced(session("another", "a"))).await.1,
        Some(Served::Loaded)
    );
    assert_eq!(
        another.as_current(traced(session(TOKEN, "a"))).await.1,
        Some(Served::Loaded)
    );
    assert_eq!(keys(&server).await.len(), 3);
}

#[tokio::test]
async fn without_a_key_secret_the_call_bypasses_the_cache() {
    let server = RedisServer::start().await;
    let cache = connected(builder(&server)).await;
    let mut monitor = server.monitor().await;
    for _ in 0..2 {
        let (value, served) = cache.as_current(traced(session(TOKEN, "a"))).await;
        assert_eq!(
            (value, served),
            (TOKEN.len() + 1, Some(Served::Bypassed(Why::Key)))
        );
    }
    assert_eq!(cache.stats().total.bypassed, 2);
    assert_eq!(keys(&server).await, [""; 0]);
    assert!(
        !monitor
            .take()
            .await
            .iter()
            .any(|command| shows(&command.text()))
    );
    cache.evict(Evict::all()).await.unwrap();
}
