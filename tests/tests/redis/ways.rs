//! The ways to a server: password, account, database, unix socket, TLS.

use std::time::{Duration, Instant};

use cache_runtime::{Cache, RedisHealth, Served};
use serde_json::json;
use tests::eventually;
use tests::fleet::Fleet;
use tests::scenarios::What;
use tests::scenarios::crew::Crew;
use tests::scenarios::origin::Origin;
use tests::scenarios::processes::{ask, connected, keys, of_url};
use tests::server::{Flaw, RedisServer};

/// Values go to this server and come back, by this URL.
async fn works(server: &RedisServer, url: &str) -> (Cache, Cache) {
    let origin = Origin::start().await;
    let build = async || connected(of_url(url).redis_budget(Duration::from_secs(5))).await;
    let (one, other): (Cache, Cache) = (build().await, build().await);
    assert_eq!(
        ask(&one, &origin.source(), 7).await,
        (1, Served::Loaded),
        "{url}"
    );
    assert_eq!(
        ask(&other, &origin.source(), 7).await,
        (1, Served::Redis),
        "{url}"
    );
    let keyspace = server.cli(&["INFO", "keyspace"]).await.text();
    assert_eq!(keyspace.matches(":keys=").count(), 1, "{url}: {keyspace}");
    (one, other)
}

#[tokio::test]
async fn password_and_database_of_the_url_are_used() {
    let server = RedisServer::builder().password("geheim").start().await;
    works(&server, &format!("redis://:geheim@{}/3", server.addr())).await;
    assert!(
        server
            .cli(&["INFO", "keyspace"])
            .await
            .text()
            .contains("db3:keys=")
    );
}

#[tokio::test]
async fn account_with_an_escaped_password_is_used() {
    let server = RedisServer::start().await;
    server
        .cli(&[
            "ACL",
            "SETUSER",
            "app",
            "on",
            ">p@ss:/w%",
            "~*",
            "&*",
            "+@all",
        ])
        .await;
    let _connected = works(
        &server,
        &format!("redis://app:p%40ss%3A%2Fw%25@{}", server.addr()),
    )
    .await;
    let accounts = server.cli(&["CLIENT", "LIST"]).await.text();
    assert!(accounts.contains("user=app"), "{accounts}");
}

#[tokio::test]
async fn unix_socket_is_used() {
    let server = RedisServer::builder()
        .unix_socket()
        .password("geheim")
        .start()
        .await;
    assert!(server.url().starts_with("redis+unix://"));
    works(&server, &server.url()).await;
}

/// Which authorities are trusted is a matter of the process, so it is one of its own.
#[tokio::test]
async fn tls_server_of_a_trusted_authority_is_used() {
    let server = RedisServer::builder().tls().start().await;
    assert!(server.url().starts_with("rediss://"));
    let authority = server.ca_file().expect("it was built with TLS").to_owned();
    let fleet = Fleet::builder().env("SSL_CERT_FILE", authority);
    let crew = Crew::on(server, fleet, 2).await;
    assert_eq!(crew.product(0).await, (1, "Loaded".to_owned()));
    assert_eq!(crew.product(1).await, (1, "Redis".to_owned()));
    let told = crew.worker(0).ask("health", json!("cache")).await.unwrap();
    assert_eq!(told, json!("Redis: connected"));
}

#[tokio::test]
async fn tls_is_spoken_on_the_bus_and_evictions_are_heard() {
    let server = RedisServer::builder().tls().start().await;
    let authority = server.ca_file().expect("it was built with TLS").to_owned();
    let fleet = Fleet::builder().env("SSL_CERT_FILE", authority);
    let crew = Crew::on(server, fleet, 2).await;
    // Values enter memory only while the bus is heard.
    for worker in 0..2 {
        eventually::holds("it is in memory", async || {
            crew.product(worker).await;
            crew.in_memory(worker).await
        })
        .await;
    }
    let clients = crew.server.cli(&["CLIENT", "LIST"]).await.text();
    let subscribed = clients.lines().filter(|client| !client.contains(" sub=0 "));
    let port = format!(" laddr=127.0.0.1:{} ", tls_port(&crew.server));
    assert_eq!(subscribed.clone().count(), 2, "{clients}");
    assert!(
        subscribed.clone().all(|client| client.contains(&port)),
        "{clients}"
    );
    let evicted = Instant::now();
    crew.evict(0, What::Key("product:7".to_owned())).await;
    eventually::holds("the other one hears of it", async || {
        !crew.in_memory(1).await
    })
    .await;
    // By the message: a bus that is lost takes three seconds to be noticed, and beats alone would leave it for its whole life.
    assert!(
        evicted.elapsed() < Duration::from_secs(2),
        "{:?}",
        evicted.elapsed()
    );
}

/// The port that clients with TLS are connected to.
fn tls_port(server: &RedisServer) -> String {
    let url = server.url();
    url.rsplit(':')
        .next()
        .expect("a URL of ours has a port")
        .to_owned()
}

#[tokio::test]
async fn tls_certificate_that_is_over_or_of_another_host_is_refused_with_the_reason() {
    for (flaw, reason) in [
        (Flaw::Expired, "expired"),
        (Flaw::OfAnotherHost, "not valid for name"),
    ] {
        let server = RedisServer::builder()
            .password("geheim")
            .tls_with(flaw)
            .start()
            .await;
        let authority = server.ca_file().expect("it was built with TLS");
        let fleet = Fleet::builder()
            .env("SSL_CERT_FILE", authority)
            .spawn(1)
            .await;
        let why = fleet
            .worker(0)
            .ask("refused", json!(server.url()))
            .await
            .expect("it is refused");
        let why = why.as_str().expect("a text").to_lowercase();
        assert!(
            why.contains("certificate") && why.contains(reason),
            "{flaw:?}: {why}"
        );
        assert!(!why.contains("geheim"), "{why}");
    }
}

#[tokio::test]
async fn tls_server_of_an_unknown_authority_is_not_trusted_and_the_function_answers() {
    let (server, origin) = (
        RedisServer::builder().tls().start().await,
        Origin::start().await,
    );
    let cache = of_url(&server.url()).build().unwrap();
    assert_eq!(ask(&cache, &origin.source(), 7).await, (1, Served::Loaded));
    let why = eventually::some("health says why", async || match cache.health().redis {
        RedisHealth::Down { why, .. } => Some(why),
        _ => None,
    })
    .await;
    assert!(why.to_lowercase().contains("certificate"), "{why}");
    assert_eq!(keys(&server).await, [""; 0]);
}
