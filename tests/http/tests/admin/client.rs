//! Plain requests to the administration.

use std::net::SocketAddr;

use http::{
    HeaderMap, Method, Request, StatusCode,
    header::{AUTHORIZATION, HOST},
};
use http_body_util::{BodyExt, Full};
use hyper::{body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::shop::{PATH, TOKEN};

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|why| panic!("{why}: {}", self.text))
    }
}

/// A request below the administration's path, to be given headers and sent.
#[must_use]
pub(crate) struct Ask {
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Ask {
    pub(crate) fn get(path: &str) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn new(method: Method, path: &str) -> Self {
        Self {
            method,
            path: format!("{PATH}{path}"),
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// As the page does it.
    pub(crate) fn evict(wish: &Value) -> Self {
        Self {
            body: wish.to_string(),
            ..Self::new(Method::POST, "/api/evict")
        }
        .header("content-type", "application/json")
        .header("x-cache-admin", "1")
    }

    /// In the place of what is there under the name.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    pub(crate) fn allowed(self) -> Self {
        self.header(AUTHORIZATION.as_str(), &format!("Bearer {TOKEN}"))
    }

    pub(crate) async fn send(self, to: SocketAddr) -> Answer {
        let mut request = Request::builder().method(self.method).uri(self.path);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        send(to, request.body(self.body).expect("it is a request")).await
    }
}

/// Sends a request on a connection of its own.
pub(crate) async fn send(to: SocketAddr, mut request: Request<String>) -> Answer {
    let host = to.to_string().parse().expect("an address is a host");
    request.headers_mut().insert(HOST, host);
    let stream = TcpStream::connect(to).await.expect("somebody listens");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .expect("it speaks HTTP");
    let connection = tokio::spawn(connection);
    let request = request.map(|body| Full::new(Bytes::from(body)));
    let (parts, body) = sender
        .send_request(request)
        .await
        .expect("it answers")
        .into_parts();
    let bytes = body.collect().await.expect("the answer ends").to_bytes();
    connection.abort();
    Answer {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8(bytes.to_vec()).expect("it is text"),
    }
}
