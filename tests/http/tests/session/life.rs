//! From the first request to the end.

use std::time::{Duration, Instant};

use cache_http::session::SessionStore;
use cache_runtime::Cache;
use tests::caches;
use tests::eventually;
use tests::proxy::{Mode, Proxy};
use tests::scenarios::processes::{connected, of_url, process};
use tests::server::RedisServer;

use crate::{Instance, Visitor};

#[tokio::test]
async fn a_session_survives_the_instance_that_made_it() {
    let server = RedisServer::start().await;
    let first = Instance::on(&server).await;
    let mut alice = Visitor::logged_in(&first, "alice").await;
    assert_eq!(alice.count(&first).await, "1");
    drop(first);
    let second = Instance::on(&server).await;
    assert_eq!(alice.name(&second).await, "alice");
    assert_eq!(alice.count(&second).await, "2");
    alice.post(&second, "/logout").await;
    assert_eq!(alice.cookie, None);
    assert_eq!(alice.name(&second).await, "nobody");
}

#[tokio::test]
async fn without_redis_sessions_are_in_memory() {
    let instance = Instance::of(&caches::in_memory()).await;
    let mut alice = Visitor::logged_in(&instance, "alice").await;
    assert_eq!(alice.count(&instance).await, "1");
    assert_eq!(alice.count(&instance).await, "2");
    assert_eq!(alice.name(&instance).await, "alice");
    assert_eq!(instance.store.revoke_all("alice").await, Ok(1));
    assert_eq!(alice.name(&instance).await, "nobody");
}

#[tokio::test]
async fn a_session_ends_on_time_unless_it_is_used() {
    let server = RedisServer::start().await;
    let cache = process(&server).await;
    let memory = caches::in_memory();
    tokio::join!(assert_ends_on_time(&cache), assert_ends_on_time(&memory));
    eventually::holds("nothing is left of them", async || {
        server.cli(&["KEYS", "*session:*"]).await.list().is_empty()
    })
    .await;
}

async fn assert_ends_on_time(cache: &Cache) {
    // Long enough for a slow machine to use one in time.
    const LIFE: Duration = Duration::from_secs(3);
    let store = SessionStore::new(cache);
    let life = time::Duration::try_from(LIFE).expect("it is short");
    let instance = Instance::over(store.clone(), life).await;
    let started = Instant::now();
    let mut used = Visitor::logged_in(&instance, "used").await;
    let mut idle = Visitor::logged_in(&instance, "idle").await;
    tokio::time::sleep(LIFE / 2).await;
    let used_at = Instant::now();
    assert_eq!(used.count(&instance).await, "1");
    // Asked of the store, because a browser that is told it has no session forgets its cookie.
    eventually::holds("the idle one ends", async || {
        let left = store.sessions_of("idle").await;
        left.expect("it is told").is_empty()
    })
    .await;
    assert!(started.elapsed() >= LIFE);
    assert_eq!(idle.name(&instance).await, "nobody");
    assert_eq!(idle.cookie, None, "a browser forgets what has ended");
    let name = used.name(&instance).await;
    assert!(name == "used" || used_at.elapsed() >= LIFE, "{name}");
}

#[tokio::test]
async fn whoever_reads_redis_gets_no_session() {
    let server = RedisServer::start().await;
    let mut monitor = server.monitor().await;
    let instance = Instance::on(&server).await;
    let mut alice = Visitor::logged_in(&instance, "alice").await;
    alice.count(&instance).await;
    assert_eq!(server.cli(&["KEYS", "*session:*"]).await.list().len(), 1);
    let cookie = alice.cookie.clone().unwrap();
    let id = cookie.strip_prefix("id=").unwrap();
    let raw: tower_sessions::session::Id = id.parse().unwrap();
    let shown = [id.to_owned(), raw.0.to_string(), format!("{:x}", raw.0)];
    let commands = monitor.take().await;
    let seen: String = commands.iter().map(|it| it.text() + "\n").collect();
    assert!(seen.contains("alice"), "its data are there: {seen}");
    let debug = format!("{:?}", instance.store);
    for id in shown {
        assert!(!seen.contains(&id) && !debug.contains(&id));
    }
}

#[tokio::test]
async fn a_user_who_was_met_here_is_loaded_in_one_round_trip() {
    const ROUND_TRIP: Duration = Duration::from_secs(1);
    let server = RedisServer::start().await;
    let proxy = Proxy::start(server.addr()).await;
    let slow = of_url(&server.url_via(&proxy)).redis_budget(ROUND_TRIP * 60);
    let instance = Instance::of(&connected(slow).await).await;
    let mut alice = Visitor::logged_in(&instance, "alice").await;
    assert_eq!(alice.name(&instance).await, "alice");
    proxy.set(Mode::Delay(ROUND_TRIP)).await;
    let started = Instant::now();
    assert_eq!(alice.name(&instance).await, "alice");
    let took = started.elapsed();
    assert!(took >= ROUND_TRIP && took < ROUND_TRIP * 2, "{took:?}");
}
