//! Sessions while Redis is away, and after.

use std::time::{Duration, Instant};

use cache_http::session::{SessionError, SessionStore};
use http::{Method, StatusCode};
use tests::eventually;
use tests::proxy::{Mode, Proxy};
use tests::scenarios::processes::{connected, of_url};
use tests::server::RedisServer;

use crate::{Instance, Visitor};

/// Far more than the budgets of a request's few commands on a busy machine, and far less than one that waits for a dead socket.
const SOON: Duration = Duration::from_secs(5);

/// With the budget a service has.
async fn instance(url: &str) -> Instance {
    Instance::of(&connected(of_url(url)).await).await
}

#[tokio::test]
async fn killing_redis_changes_no_status_and_users_known_here_stay() {
    let server = RedisServer::start().await;
    let (one, other) = (instance(&server.url()).await, instance(&server.url()).await);
    let mut alice = Visitor::logged_in(&one, "alice").await;
    let mut bob = Visitor::logged_in(&one, "bob").await;
    assert_eq!(bob.name(&other).await, "bob");
    for end in [RedisServer::stop, RedisServer::kill] {
        end(&server);
        let started = Instant::now();
        assert_eq!(alice.name(&one).await, "alice");
        assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
        let (mut stranger, mut carol) = (alice.clone(), Visitor::default());
        for path in ["/count", "/login/carol", "/count", "/logout"] {
            for visitor in [&mut stranger, &mut carol] {
                let answer = visitor.post(&other, path).await;
                assert_eq!(answer.status, StatusCode::OK, "{path}: {answer:?}");
            }
        }
        assert_eq!(bob.name(&other).await, "bob");
    }
    server.restart().await;
    eventually::holds("sessions are in Redis again", async || {
        Visitor::logged_in(&one, "dora").await.name(&other).await == "dora"
    })
    .await;
    assert_eq!(
        alice.name(&other).await,
        "nobody",
        "what Redis has lost is lost"
    );
}

#[tokio::test]
async fn what_happened_without_redis_is_there_when_it_is_back() {
    let server = RedisServer::start().await;
    let (one, other) = (instance(&server.url()).await, instance(&server.url()).await);
    let mut alice = Visitor::logged_in(&one, "alice").await;
    assert_eq!(alice.count(&one).await, "1");
    let mut leaving = Visitor::logged_in(&one, "bob").await;

    server.stop();
    assert_eq!(alice.count(&one).await, "2");
    assert_eq!(alice.count(&one).await, "3");
    let mut elsewhere = alice.clone();
    assert_eq!(elsewhere.name(&other).await, "nobody");
    assert_eq!(elsewhere.cookie, alice.cookie, "only for now");
    let mut carol = Visitor::logged_in(&one, "carol").await;
    assert_eq!(carol.count(&one).await, "1");
    let left = leaving.clone();
    leaving.post(&one, "/logout").await;
    server.cont();

    eventually::holds("what was changed is in Redis", async || {
        carol.clone().name(&other).await == "carol"
    })
    .await;
    eventually::holds("so is the rest", async || {
        let mut alice = alice.clone();
        alice.name(&other).await == "alice" && left.clone().name(&other).await == "nobody"
    })
    .await;
    assert_eq!(alice.count(&other).await, "4");
    assert_eq!(carol.count(&other).await, "2");
}

#[tokio::test]
async fn a_revocation_without_redis_holds_here_at_once_and_there_when_it_is_back() {
    let server = RedisServer::start().await;
    let (one, other) = (instance(&server.url()).await, instance(&server.url()).await);
    let mut alice = Visitor::logged_in(&one, "alice").await;
    let mut laptop = Visitor::logged_in(&other, "alice").await;
    assert_eq!(laptop.name(&one).await, "alice");
    server.stop();
    assert_eq!(
        one.store.revoke_all("alice").await,
        Err(SessionError::Queued)
    );
    assert_eq!(
        one.store.sessions_of("alice").await,
        Err(SessionError::Unavailable)
    );
    for visitor in [&alice, &laptop] {
        assert_eq!(visitor.clone().name(&one).await, "nobody");
    }
    let answer = laptop.clone().send(&other, Method::GET, "/").await;
    assert_eq!(answer.body, "alice", "the other has not heard of it");
    server.cont();
    eventually::holds("it holds everywhere", async || {
        let mut laptop = laptop.clone();
        laptop.name(&other).await == "nobody"
    })
    .await;
    assert_eq!(alice.name(&one).await, "nobody");
    assert_eq!(laptop.name(&one).await, "nobody");
}

#[tokio::test]
async fn what_others_did_meanwhile_is_not_overwritten() {
    let server = RedisServer::start().await;
    let proxy = Proxy::start(server.addr()).await;
    let cut_off = instance(&server.url_via(&proxy)).await;
    let connected = instance(&server.url()).await;
    let mut alice = Visitor::logged_in(&cut_off, "alice").await;
    let mut bob = Visitor::logged_in(&cut_off, "bob").await;
    assert_eq!(alice.count(&cut_off).await, "1");
    assert_eq!(bob.count(&cut_off).await, "1");

    proxy.set(Mode::Refuse).await;
    proxy.reset_all();
    eventually::holds("it is cut off", async || {
        cut_off.store.sessions_of("alice").await.is_err()
    })
    .await;
    assert_eq!(alice.count(&cut_off).await, "2");
    assert_eq!(bob.count(&cut_off).await, "2");
    for _ in 0..5 {
        bob.count(&connected).await;
    }
    connected.store.revoke_all("alice").await.unwrap();
    assert_eq!(
        alice.clone().name(&cut_off).await,
        "alice",
        "nobody could tell"
    );
    proxy.set(Mode::Pass).await;

    eventually::holds("it hears of it", async || {
        alice.clone().name(&cut_off).await == "nobody"
    })
    .await;
    assert_eq!(alice.name(&connected).await, "nobody");
    assert_eq!(bob.count(&connected).await, "7");
    assert_eq!(bob.count(&cut_off).await, "8");
}

#[tokio::test]
async fn without_grace_nobody_is_anybody_without_redis() {
    let server = RedisServer::start().await;
    let cache = connected(of_url(&server.url())).await;
    let store = SessionStore::builder(&cache)
        .offline_grace(Duration::ZERO)
        .build();
    let instance = Instance::over(store, time::Duration::hours(1)).await;
    let mut alice = Visitor::logged_in(&instance, "alice").await;
    server.stop();
    assert_eq!(alice.name(&instance).await, "nobody");
    assert_eq!(alice.post(&instance, "/count").await.status, StatusCode::OK);
    server.cont();
    eventually::holds("alice is back", async || {
        alice.clone().name(&instance).await == "alice"
    })
    .await;
}

#[tokio::test]
async fn a_redis_that_is_full_is_read_and_what_cannot_be_written_waits() {
    let server = RedisServer::start().await;
    let cache = connected(of_url(&server.url())).await;
    let grace = Duration::from_millis(500);
    let store = SessionStore::builder(&cache).offline_grace(grace).build();
    let one = Instance::over(store, time::Duration::hours(1)).await;
    let other = instance(&server.url()).await;
    let mut alice = Visitor::logged_in(&one, "alice").await;
    assert_eq!(alice.count(&one).await, "1");
    assert_eq!(alice.name(&other).await, "alice");
    server.cli(&["CONFIG", "SET", "maxmemory", "1"]).await;
    assert_eq!(alice.count(&other).await, "2");
    assert_eq!(alice.count(&other).await, "3");
    let mut bob = Visitor::logged_in(&other, "bob").await;
    assert_eq!(bob.count(&other).await, "1");
    assert_eq!(alice.clone().count(&one).await, "2");
    tokio::time::sleep(grace * 2).await;
    // Its own copy is too old by now, and Redis can be asked.
    assert_eq!(alice.name(&one).await, "alice");
    server.cli(&["CONFIG", "SET", "maxmemory", "0"]).await;
    eventually::holds("what waited is there", async || {
        bob.clone().name(&one).await == "bob"
    })
    .await;
    assert_eq!(alice.count(&other).await, "4");
}
