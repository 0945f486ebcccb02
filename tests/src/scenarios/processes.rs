//! Caches of one name on one Redis, in the test's own process: each stands for a process of the fleet.
//!
//! They share nothing but Redis, as processes do, and a test can look into each. Where the claim is about processes
//! that die or are paused, [`super::crew`] has real ones.

use std::time::Duration;

use cache_runtime::{Cache, CacheBuilder, Policy, Served, key, traced};

use super::NAME;
use super::functions::product;
use super::origin::{Down, Source};
use crate::server::{Command, Monitor, RedisServer};

/// A cache on this server, with time enough for its commands that a busy machine changes nothing.
pub fn builder(server: &RedisServer) -> CacheBuilder {
    of_url(&server.url()).redis_budget(Duration::from_secs(5))
}

/// A cache on the server of a URL, with the default budget.
pub fn of_url(url: &str) -> CacheBuilder {
    Cache::builder(NAME)
        .redis(url)
        .defaults(Policy::new().jitter(0.0))
}

/// Builds it and waits until it is connected.
///
/// # Panics
/// If it cannot.
pub async fn connected(builder: CacheBuilder) -> Cache {
    let cache = builder.build().expect("the settings make sense");
    cache
        .ready(Duration::from_secs(20))
        .await
        .expect("the server is up");
    cache
}

/// One more process on this server.
pub async fn process(server: &RedisServer) -> Cache {
    connected(builder(server)).await
}

/// Calls [`product`] in this process: its value, and how it was served.
///
/// # Panics
/// If the origin fails, or there is no answer in half a minute.
pub async fn ask(cache: &Cache, source: &Source, id: u64) -> (u64, Served) {
    let call = cache.as_current(traced(product(source, id)));
    let answer = tokio::time::timeout(crate::eventually::PATIENCE, call).await;
    let (value, served) = answer.expect("an annotated function always answers");
    (
        value.unwrap_or_else(|Down| panic!("the origin is up")),
        served.expect("the call was annotated"),
    )
}

/// The key of a value in Redis.
pub fn value_of(key: &str) -> String {
    format!("{NAME}:{{{key}}}")
}

/// Every key in the server's database 0 that belongs to an entry, sorted: not what caches keep for themselves, `NAME:#…` and `NAME:{#…`.
pub async fn keys(server: &RedisServer) -> Vec<String> {
    let mut keys = server.cli(&["KEYS", "*"]).await.list();
    keys.retain(|key| {
        key.split(':')
            .nth(1)
            .is_none_or(|part| !part.starts_with('#') && !part.starts_with("{#"))
    });
    keys.sort();
    keys
}

/// Whether the server has this key.
pub async fn has(server: &RedisServer, key: &str) -> bool {
    server.cli(&["EXISTS", key]).await.int() == 1
}

/// The commands since the monitor was last asked, without the link's own pings and beats.
pub async fn commands(monitor: &mut Monitor) -> Vec<Command> {
    let mut commands = monitor.take().await;
    commands.retain(|command| {
        !matches!(&*command.name(), "PING" | "HELLO") && !command.text().contains(":#beat:")
    });
    commands
}

/// Has the process know the labels that entries of [`product`] carry, as it does after its first load.
pub async fn warm(cache: &Cache) {
    let id = u64::MAX;
    cache
        .get_or_load(&key!("product:{id}"), &Policy::new(), async || 0_u64)
        .await;
}

/// Their names.
pub async fn names(monitor: &mut Monitor) -> Vec<String> {
    commands(monitor).await.iter().map(Command::name).collect()
}
