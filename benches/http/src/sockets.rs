//! Requests per second over real sockets: 64 connections of one client that ask as fast as they are answered, in the process of the service.
//!
//! Client and service share the cores, and most of what a request costs is neither's but hyper's and the kernel's: the figure says what is left of a layer's speed in a service.

use crate::{Service, is_of, uri};
use axum::{
    Router,
    http::{Request, header::HOST},
};
use common::{Report, Run, keys};
use http_body_util::{BodyExt, Empty};
use hyper::{
    body::Bytes,
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Barrier,
};

const KEYS: u64 = 1_000;
const CONNECTIONS: usize = 64;

pub(crate) fn measure(run: &Run, service: &Service, router: Router) -> Report {
    let time = Duration::from_millis(if run.parameters().quick() { 500 } else { 1_500 });
    run.runtime().block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port is free");
        let addr = listener.local_addr().expect("it is bound");
        tokio::spawn(async move {
            axum::serve(listener, router)
                .await
                .expect("it accepts for ever")
        });
        let fill = async |part: u64| {
            let mut connection = connect(addr).await;
            for id in (0..KEYS).filter(|id| id % 8 == part) {
                assert!(
                    is_of(&ask(&mut connection, id).await, id),
                    "another path's response"
                );
            }
        };
        for part in 0..8 {
            fill(part).await;
        }
        let ids: Arc<[u32]> = keys::zipf(KEYS, 1 << 14).into();
        let barrier = Arc::new(Barrier::new(CONNECTIONS + 1));
        let clients: Vec<_> = (0..CONNECTIONS)
            .map(|client| {
                let (ids, barrier) = (Arc::clone(&ids), Arc::clone(&barrier));
                tokio::spawn(async move {
                    let mut connection = connect(addr).await;
                    barrier.wait().await;
                    let (end, mut asked) = (Instant::now() + time, 0_usize);
                    let start = ids.len() / CONNECTIONS * client;
                    while Instant::now() < end {
                        let id = ids[(start + asked) % ids.len()];
                        ask(&mut connection, u64::from(id)).await;
                        asked += 1;
                    }
                    asked as u64
                })
            })
            .collect();
        let before = service.calls.load(Relaxed);
        barrier.wait().await;
        let start = Instant::now();
        let mut requests = 0;
        for client in clients {
            requests += client.await.expect("a client does not panic");
        }
        let elapsed = start.elapsed();
        service.check(before, requests);
        Report::new().figure("krps", requests as f64 / elapsed.as_secs_f64() / 1e3)
    })
}

async fn connect(addr: SocketAddr) -> SendRequest<Empty<Bytes>> {
    let stream = TcpStream::connect(addr)
        .await
        .expect("the service is there");
    stream.set_nodelay(true).expect("a socket can be told");
    let (sender, connection) = handshake(TokioIo::new(stream))
        .await
        .expect("it speaks HTTP");
    tokio::spawn(connection);
    sender
}

async fn ask(connection: &mut SendRequest<Empty<Bytes>>, id: u64) -> Bytes {
    connection.ready().await.expect("the service is there");
    let request = Request::get(uri(id))
        .header(HOST, "shop.example")
        .body(Empty::new());
    let answer = connection
        .send_request(request.expect("it is a request"))
        .await;
    let body = answer.expect("the service answers").into_body();
    body.collect().await.expect("the body is whole").to_bytes()
}
