//! A service on a socket, and a client that sends what it is told from where it is told, and knows nothing of cookies.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;

/// A running service; it ends with this value.
#[derive(Debug)]
pub(crate) struct Service {
    addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// The text of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        Some(self.headers.get(name)?.to_str().expect("it is text"))
    }
}

impl Service {
    /// Serves on a free port, telling handlers who their peer is.
    pub(crate) async fn start(app: Router) -> Service {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a free port is free");
        let addr = listener.local_addr().expect("it is bound");
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        let served = axum::serve(listener, app);
        let task = tokio::spawn(async move {
            served.await.expect("it accepts for ever");
        });
        Service { addr, task }
    }

    /// Sends a request on a connection of its own.
    pub(crate) async fn send(
        &self,
        method: Method,
        from: Ipv4Addr,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let socket = TcpSocket::new_v4().expect("there are sockets");
        socket.set_reuseaddr(true).expect("it can be set");
        socket
            .bind((from, 0).into())
            .expect("it is an address of ours");
        let stream = socket
            .connect(self.addr)
            .await
            .expect("the service accepts");
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .expect("nothing is said yet");
        let connection = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "service.test");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).expect("it is well-formed");
        let response = sender.send_request(request).await;
        let (parts, body) = response.expect("the service answers").into_parts();
        let body = body
            .collect()
            .await
            .expect("the whole of it comes")
            .to_bytes();
        connection.abort();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).expect("it is text"),
        }
    }
}
