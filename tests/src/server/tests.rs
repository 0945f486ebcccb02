use std::time::Duration;

use tokio::time::timeout;

use super::*;
use crate::proxy::Mode;

#[tokio::test]
async fn server_answers_and_is_gone_when_dropped() {
    let server = RedisServer::start().await;
    assert_eq!(server.cli(&["SET", "k", "v"]).await.text(), "OK");
    assert_eq!(server.cli(&["GET", "k"]).await.text(), "v");
    assert!(server.cli(&["DEBUG", "SLEEP", "0"]).await != Resp::Nil);
    let (addr, folder) = (server.addr(), server.folder().to_owned());
    drop(server);
    assert!(tokio::net::TcpStream::connect(addr).await.is_err());
    assert!(!folder.exists());
}

#[tokio::test]
async fn killed_server_comes_back_empty_on_its_port() {
    let server = RedisServer::start().await;
    let (url, pid) = (server.url(), server.pid());
    server.cli(&["SET", "k", "v"]).await;
    server.kill();
    assert!(server.try_cli(&["PING"]).await.is_err());
    server.restart().await;
    assert_eq!(server.url(), url);
    assert_ne!(server.pid(), pid);
    assert!(server.cli(&["GET", "k"]).await.is_nil());
}

#[tokio::test]
async fn killed_server_comes_back_with_what_was_saved() {
    let server = RedisServer::start().await;
    server.cli(&["SET", "k", "saved"]).await;
    assert_eq!(server.cli(&["SAVE"]).await.text(), "OK");
    server.cli(&["SET", "k", "lost"]).await;
    server.restart().await;
    assert_eq!(server.cli(&["GET", "k"]).await.text(), "saved");
}

#[tokio::test]
async fn paused_server_answers_nothing_until_it_goes_on() {
    let server = RedisServer::start().await;
    server.stop();
    assert!(
        timeout(Duration::from_millis(100), server.try_cli(&["PING"]))
            .await
            .is_err()
    );
    server.cont();
    assert_eq!(server.cli(&["PING"]).await.text(), "PONG");
    // A paused server must not outlive its test either.
    server.stop();
}

#[tokio::test]
async fn password_is_asked_for_and_can_be_changed() {
    let server = RedisServer::builder().password("first").start().await;
    assert!(server.url().contains(":first@"));
    server.set_password(Some("second")).await;
    assert_eq!(server.cli(&["PING"]).await.text(), "PONG");
    let mut stranger = crate::resp::Client::new(
        tokio::net::TcpStream::connect(server.addr())
            .await
            .expect("it is up"),
    );
    assert!(
        matches!(stranger.command(&["PING"]).await, Ok(Resp::Error(refusal)) if refusal.starts_with("NOAUTH"))
    );
    server.restart().await;
    assert_eq!(server.cli(&["PING"]).await.text(), "PONG");
}

#[tokio::test]
async fn tls_server_shows_a_certificate_of_its_authority() {
    // Another test of this process may have been faster.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = RedisServer::builder().tls().start().await;
    let authority =
        std::fs::read(server.ca_file().expect("it was built with TLS")).expect("the file is there");
    let trusted = redis::TlsCertificates {
        client_tls: None,
        root_cert: Some(authority),
    };
    let client = redis::Client::build_with_tls(server.url(), trusted).expect("the URL is valid");
    let mut connection = client
        .get_multiplexed_async_connection()
        .await
        .expect("the certificate is trusted");
    let pong: String = redis::cmd("PING")
        .query_async(&mut connection)
        .await
        .expect("it answers");
    assert_eq!(pong, "PONG");
}

#[tokio::test]
async fn unix_socket_is_open_and_named_in_the_url() {
    let server = RedisServer::builder()
        .unix_socket()
        .password("secret")
        .start()
        .await;
    let url = server.url();
    let path = url
        .strip_prefix("redis+unix://")
        .and_then(|rest| rest.strip_suffix("?pass=secret"));
    let stream = tokio::net::UnixStream::connect(path.expect("path and password"))
        .await
        .expect("it listens");
    let mut client = crate::resp::Client::new(stream);
    assert_eq!(
        client
            .command(&["AUTH", "secret"])
            .await
            .expect("it answers")
            .text(),
        "OK"
    );
}

#[tokio::test]
async fn arguments_reach_the_command_line() {
    let server = RedisServer::builder()
        .args(&["--maxmemory-policy", "allkeys-lru"])
        .start()
        .await;
    assert_eq!(
        server
            .cli(&["CONFIG", "GET", "maxmemory-policy"])
            .await
            .list(),
        ["maxmemory-policy", "allkeys-lru"]
    );
}

#[tokio::test]
async fn monitor_records_what_clients_send_and_nothing_else() {
    let server = RedisServer::start().await;
    let mut monitor = server.monitor().await;
    let stream = tokio::net::TcpStream::connect(server.addr())
        .await
        .expect("it is up");
    let mut client = crate::resp::Client::new(stream);
    client
        .command(&["GET", "before"])
        .await
        .expect("it answers");
    monitor.clear().await;
    server.cli(&["SET", "harness", "1"]).await;
    client
        .command(&["EVAL", "return redis.call('GET', KEYS[1])", "1", "a\r\nb"])
        .await
        .expect("it answers");
    let commands = monitor.take().await;
    assert_eq!(
        commands.iter().map(Command::name).collect::<Vec<_>>(),
        ["EVAL"]
    );
    assert_eq!(commands[0].args.last().expect("the key"), b"a\r\nb");
    assert_eq!(monitor.take().await, []);
}

#[tokio::test]
async fn proxy_stands_between_client_and_server() {
    let server = RedisServer::builder().password("secret").start().await;
    let proxy = Proxy::start(server.addr()).await;
    let client = redis::Client::open(server.url_via(&proxy)).expect("the URL is valid");
    let mut connection = client
        .get_multiplexed_async_connection()
        .await
        .expect("the proxy passes");
    proxy.set(Mode::BlackHole).await;
    let get = redis::cmd("GET").arg("k").to_owned();
    let held = timeout(
        Duration::from_millis(100),
        get.query_async::<Option<String>>(&mut connection),
    );
    assert!(held.await.is_err(), "the proxy holds the command back");
    assert_eq!(proxy.accepted(), 1);
}
