use std::io::ErrorKind;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::*;

const MOMENT: Duration = Duration::from_millis(100);

/// A server that answers every byte with the same byte.
async fn echo() -> SocketAddr {
    let listener = listen().await;
    let addr = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                tokio::io::copy(&mut from, &mut to).await
            });
        }
    });
    addr
}

async fn ask(stream: &mut TcpStream) -> std::io::Result<u8> {
    stream.write_all(b"x").await?;
    stream.read_u8().await
}

async fn connected(proxy: &Proxy) -> TcpStream {
    let mut stream = TcpStream::connect(proxy.addr())
        .await
        .expect("the proxy listens");
    assert_eq!(ask(&mut stream).await.expect("the proxy passes"), b'x');
    stream
}

#[tokio::test]
async fn delay_is_added_once_per_round_trip() {
    let proxy = Proxy::start(echo().await).await;
    let mut stream = connected(&proxy).await;
    proxy.set(Mode::Delay(MOMENT)).await;
    let started = Instant::now();
    ask(&mut stream).await.expect("late, but answered");
    assert!(
        started.elapsed() >= MOMENT && started.elapsed() < MOMENT * 10,
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn messages_are_late_and_answers_are_not() {
    let proxy = Proxy::start(echo().await).await;
    let (mut one, mut subscriber) = (connected(&proxy).await, connected(&proxy).await);
    proxy.set(Mode::DelayMessages(MOMENT)).await;
    let started = Instant::now();
    ask(&mut one).await.expect("answered");
    assert!(started.elapsed() < MOMENT);
    subscriber
        .write_all(b"SUBSCRIBE")
        .await
        .expect("it is open");
    subscriber.read_u8().await.expect("late, but told");
    assert!(started.elapsed() >= MOMENT);
}

#[tokio::test]
async fn existing_connections_are_swallowed_while_new_ones_work() {
    let proxy = Proxy::start(echo().await).await;
    let mut old = connected(&proxy).await;
    proxy.black_hole_existing();
    assert!(
        timeout(MOMENT, ask(&mut old)).await.is_err(),
        "neither an answer nor an error"
    );
    connected(&proxy).await;
    proxy.set(Mode::Pass).await;
    assert!(
        timeout(MOMENT, old.read_u8()).await.is_err(),
        "a forgotten connection stays forgotten"
    );
}

#[tokio::test]
async fn black_hole_takes_everything_and_gives_it_back() {
    let proxy = Proxy::start(echo().await).await;
    let mut old = connected(&proxy).await;
    proxy.set(Mode::BlackHole).await;
    let mut new = TcpStream::connect(proxy.addr())
        .await
        .expect("the proxy listens");
    assert!(timeout(MOMENT, ask(&mut old)).await.is_err());
    assert!(timeout(MOMENT, ask(&mut new)).await.is_err());
    proxy.set(Mode::Pass).await;
    assert_eq!(old.read_u8().await.expect("what was held back"), b'x');
    assert_eq!(new.read_u8().await.expect("what was held back"), b'x');
}

#[tokio::test]
async fn reset_is_seen_as_a_reset_and_new_connections_work() {
    let proxy = Proxy::start(echo().await).await;
    let mut old = connected(&proxy).await;
    proxy.reset_all();
    assert_eq!(
        old.read_u8()
            .await
            .expect_err("the connection is gone")
            .kind(),
        ErrorKind::ConnectionReset
    );
    connected(&proxy).await;
    assert_eq!(proxy.accepted(), 2);
}

#[tokio::test]
async fn refused_clients_come_back_on_the_same_port() {
    let proxy = Proxy::start(echo().await).await;
    let mut old = connected(&proxy).await;
    proxy.set(Mode::Refuse).await;
    let refused = TcpStream::connect(proxy.addr())
        .await
        .expect_err("nobody listens");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(ask(&mut old).await.expect("open connections go on"), b'x');
    proxy.set(Mode::Pass).await;
    connected(&proxy).await;
}

#[tokio::test]
async fn nothing_behind_the_proxy_is_a_reset() {
    let nobody = (Ipv4Addr::LOCALHOST, ports::free()).into();
    let proxy = Proxy::start(nobody).await;
    let mut stream = TcpStream::connect(proxy.addr())
        .await
        .expect("the proxy listens");
    assert_eq!(
        stream.read_u8().await.expect_err("nobody answers").kind(),
        ErrorKind::ConnectionReset
    );
}
