//! Connections: taken, served request by request, and put down.
//!
//! As `axum::serve` does it, and with the bound that it leaves out: who opens connections and sends a byte now and then would hold them, and what each of them takes, for as long as he likes.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tower::Service;

/// How long a connection may take to bring the head of a request, from when one can be read: so for as long, too, it stays open without any. Bodies are bounded by
/// how long a request may take.
const LONGEST_HEAD: Duration = Duration::from_secs(15);

/// Takes connections until `stop` comes; whoever has called it can wait for the requests that are under way then.
pub(crate) async fn serve(
    mut listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()>,
) -> GracefulShutdown {
    let connections = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(LONGEST_HEAD);
    let mut stop = pin!(stop);
    loop {
        let (stream, peer) = tokio::select! {
            () = &mut stop => return connections,
            // Unlike the listener's own, this one waits where the process has no more files to open.
            taken = Listener::accept(&mut listener) => taken,
        };
        let router = router.clone();
        let service = service_fn(move |request| answer(router.clone(), peer, request));
        let connection = connections.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%peer, %error, "a connection has ended");
            }
        });
    }
}

/// Limits are by address: the router is told who connects.
async fn answer(
    mut router: Router,
    peer: SocketAddr,
    mut request: Request<Incoming>,
) -> Result<Response, Infallible> {
    request.extensions_mut().insert(ConnectInfo(peer));
    router.call(request).await
}
