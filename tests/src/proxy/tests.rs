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

#[tokio::test]
async fn throttled_replies_come_piece_by_piece_until_the_mode_ends() {
    let proxy = Proxy::start(echo().await).await;
    let mut stream = connected(&proxy).await;
    proxy.set(Mode::Throttle(100)).await;
    let started = Instant::now();
    let mut reply = [0; 20];
    stream.write_all(&[b'x'; 20]).await.expect("it is open");
    stream.read_exact(&mut reply).await.expect("slow, but all");
    assert!(started.elapsed() >= MOMENT, "{:?}", started.elapsed());
    proxy.set(Mode::Throttle(30)).await;
    stream.write_all(&[b'x'; 20]).await.expect("it is open");
    stream.read_u8().await.expect("the first piece");
    proxy.set(Mode::BlackHole).await;
    // A piece may have been on its way.
    let come = timeout(MOMENT, stream.read_u8()).await.map_or(1, |_| 2);
    assert!(timeout(MOMENT, stream.read_u8()).await.is_err());
    proxy.set(Mode::Pass).await;
    let started = Instant::now();
    let rest = stream.read_exact(&mut reply[come..]).await;
    rest.expect("it is given back at once");
    assert!(started.elapsed() < MOMENT * 50, "{:?}", started.elapsed());
}

#[tokio::test]
async fn cut_connection_ends_in_the_middle_of_a_reply() {
    let proxy = Proxy::start(echo().await).await;
    let mut old = connected(&proxy).await;
    proxy.cut_existing();
    old.write_all(b"reply").await.expect("it is open");
    let mut came = Vec::new();
    // The rest of the reply may make the end a reset.
    let _ = old.read_to_end(&mut came).await;
    assert_eq!(came, b"re");
    connected(&proxy).await;
}

#[tokio::test]
async fn half_closed_connection_ends_one_way_and_goes_on_the_other() {
    let listener = listen().await;
    let proxy = Proxy::start(listener.local_addr().expect("it is bound")).await;
    let mut client = TcpStream::connect(proxy.addr()).await.expect("it listens");
    let (mut server, _) = listener.accept().await.expect("the proxy connects");
    proxy.half_close_existing();
    let end = timeout(MOMENT * 50, client.read_u8()).await;
    let end = end.expect("it is told").expect_err("that it is over");
    assert_eq!(end.kind(), ErrorKind::UnexpectedEof);
    client.write_all(b"x").await.expect("it may go on");
    assert_eq!(server.read_u8().await.expect("it arrives"), b'x');
    assert!(server.write_all(b"to nobody").await.is_ok());
}

#[tokio::test]
async fn replicas_are_let_through_unless_they_are_meant() {
    let proxy = Proxy::start(echo().await).await;
    let mut replica = connected(&proxy).await;
    let begins = b"*3\r\n$8\r\nREPLCONF\r\n";
    replica.write_all(begins).await.expect("it is open");
    let mut reply = [0; 18];
    replica.read_exact(&mut reply).await.expect("it is echoed");
    proxy.reset_all();
    proxy.black_hole_existing();
    proxy.half_close_existing();
    proxy.set(Mode::BlackHole).await;
    assert_eq!(ask(&mut replica).await.expect("answered"), b'x');
    proxy.include_replicas();
    assert!(ask(&mut replica).await.is_err());
}
