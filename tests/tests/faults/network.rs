//! What lies between a process and its server: packets that go nowhere, resets, and one byte a second.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use cache_runtime::testing::Hosts;
use socket2::{Domain, Socket, Type};
use tests::eventually;
use tests::proxy::Proxy;
use tests::scenarios::processes::{connected, of_url};
use tests::scripted::{Say, Scripted, is};
use tests::server::RedisServer;

use crate::kit::{
    LATE, ROOM, back_within, in_form, late, measured, not_late, short, stores_again, until_down,
};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn fault_06_old_sockets_black_holed_while_new_ones_work() {
    let server = RedisServer::start().await;
    let proxy = Proxy::start(server.addr()).await;
    let cache = connected(of_url(&server.url_via(&proxy))).await;
    stores_again(&cache, &server).await;
    // Nothing is called: an idle link has to notice too.
    let before = proxy.accepted();
    proxy.black_hole_existing();
    let idle = Instant::now();
    eventually::holds("there is another connection", async || {
        proxy.accepted() > before
    })
    .await;
    let idle = idle.elapsed();
    assert!(idle < 3 * SECOND + ROOM, "{idle:?}");
    stores_again(&cache, &server).await;
    eventually::holds("all is well", async || cache.health().is_ok()).await;
    // And one that is used.
    proxy.black_hole_existing();
    let swallowed = Instant::now();
    let mut latest = Duration::ZERO;
    for _ in 0..8 {
        latest = latest.max(late(&cache).await);
    }
    assert!(latest < LATE, "{latest:?}");
    let back = back_within(5 * SECOND, &cache, &server, swallowed).await;
    measured(
        6,
        format_args!(
            "idle: another connection after {}; in use: at most {} late, stored again after {}",
            short(idle),
            short(latest),
            short(back)
        ),
    );
}

/// An address that answers no SYN: its queue of connections that wait to be accepted is full, and the kernel drops what comes.
struct Dropping {
    addr: SocketAddr,
    _listener: Socket,
    _queued: Vec<Socket>,
}

impl Dropping {
    fn start() -> Dropping {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("sockets can be had");
        let any: SocketAddr = (Ipv4Addr::LOCALHOST, 0).into();
        listener
            .bind(&any.into())
            .expect("the system has a free port");
        listener.listen(0).expect("it is bound");
        let addr = listener.local_addr().ok().and_then(|addr| addr.as_socket());
        let addr = addr.expect("a bound listener has an address");
        let queued = (0..4).map(|_| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("sockets can be had");
            socket.set_nonblocking(true).expect("it is a socket");
            // The first is queued, the others are not answered any more.
            let _ = socket.connect(&addr.into());
            socket
        });
        let queued = queued.collect();
        let silent = TcpStream::connect_timeout(&addr, Duration::from_millis(200));
        assert!(silent.is_err(), "the kernel drops what comes");
        Dropping {
            addr,
            _listener: listener,
            _queued: queued,
        }
    }
}

#[tokio::test]
async fn fault_07_syn_dropped() {
    let (server, hosts, nowhere) = (RedisServer::start().await, Hosts::new(), Dropping::start());
    hosts.set("redis.test", nowhere.addr);
    let cache = of_url("redis://redis.test").hosts(hosts.clone());
    let cache = cache.build().expect("nothing is connected here");
    let (calls, latest) = until_down(&cache).await;
    let then = not_late(&cache).await;
    tokio::time::sleep(in_form(5 * SECOND, SECOND)).await;
    let still = not_late(&cache).await;
    hosts.set("redis.test", server.addr());
    let back = back_within(
        Duration::from_millis(2_500),
        &cache,
        &server,
        Instant::now(),
    )
    .await;
    measured(
        7,
        format_args!(
            "{calls} calls at most {} late, then {} (later {}); connected {} after packets pass",
            short(latest),
            short(then.median()),
            short(still.median()),
            short(back)
        ),
    );
}

#[tokio::test]
async fn fault_08_storm_of_resets() {
    let server = RedisServer::start().await;
    let proxy = Proxy::start(server.addr()).await;
    let cache = connected(of_url(&server.url_via(&proxy))).await;
    let (before, begun) = (proxy.accepted(), Instant::now());
    let (lasting, mut latest) = (in_form(20 * SECOND, 5 * SECOND), Duration::ZERO);
    while begun.elapsed() < lasting {
        proxy.reset_all();
        let next = Instant::now() + Duration::from_millis(50);
        while Instant::now() < next {
            latest = latest.max(late(&cache).await);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    assert!(latest < LATE, "{latest:?}");
    let made = proxy.accepted() - before;
    // Two connections, each with delays that are random below 1.5 s, after a few that are shorter.
    let cap = 20.0 + 4.0 * lasting.as_secs_f64();
    let rate = made as f64 / lasting.as_secs_f64();
    assert!((made as f64) < cap, "{made} connections, {rate} a second");
    let back = back_within(
        Duration::from_millis(2_500),
        &cache,
        &server,
        Instant::now(),
    )
    .await;
    measured(
        8,
        format_args!(
            "{} of resets: calls at most {} late, {rate:.1} connections a second; back after {}",
            short(lasting),
            short(latest),
            short(back)
        ),
    );
}

#[tokio::test]
async fn fault_10_one_byte_a_second() {
    let server = RedisServer::start().await;
    let hop = Scripted::start(server.addr()).await;
    let cache = connected(of_url(&hop.url())).await;
    let before = hop.accepted();
    hop.say(|parts| match is(parts, "GET") {
        true => Say::Drip(b"$100\r\n".repeat(20), SECOND),
        false => Say::Pass,
    });
    let (calls, latest) = until_down(&cache).await;
    let then = not_late(&cache).await;
    eventually::holds("another connection is tried", async || {
        hop.accepted() > before
    })
    .await;
    hop.say(|_| Say::Pass);
    let back = back_within(
        Duration::from_millis(3_500),
        &cache,
        &server,
        Instant::now(),
    )
    .await;
    measured(
        10,
        format_args!(
            "{calls} calls at most {} late, then {}; the connection is left; back after {}",
            short(latest),
            short(then.median()),
            short(back)
        ),
    );
}
