//! One request at a time, each on a connection of its own, and a jar for one cookie.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, COOKIE, HOST, SET_COOKIE};
use hyper::{HeaderMap, Method, Request, StatusCode, client};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// Somebody who talks to one instance.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    address: SocketAddr,
    cookie: Arc<Mutex<Option<String>>>,
    headers: Vec<(String, String)>,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Client {
        Client {
            address,
            cookie: Arc::default(),
            headers: Vec::new(),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same browser, at another instance.
    pub(crate) fn at(&self, other: &Client) -> Client {
        Client {
            address: other.address,
            ..self.clone()
        }
    }

    /// Another browser, at the same instance.
    pub(crate) fn another(&self) -> Client {
        Client {
            cookie: Arc::default(),
            ..self.clone()
        }
    }

    /// Logs one of the demo users in.
    pub(crate) async fn log_in(&self, name: &str) {
        let credentials = json!({ "name": name, "password": format!("{name}-demo") });
        self.post("/api/login", &credentials).await.expect(200);
    }

    pub(crate) fn with(mut self, header: &str, value: &str) -> Client {
        self.headers.push((header.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn cookie(&self) -> Option<String> {
        self.cookie.lock().expect("no holder panics").clone()
    }

    pub(crate) fn set_cookie(&self, cookie: Option<String>) {
        *self.cookie.lock().expect("no holder panics") = cookie;
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body.to_string())).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(body.to_string())).await
    }

    /// A body is said to be JSON, whatever it is.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<String>) -> Answer {
        let asked = format!("{method} {path}");
        self.try_send(method, path, body)
            .await
            .unwrap_or_else(|error| panic!("{asked}: {error}"))
    }

    async fn try_send(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> Result<Answer, Box<dyn std::error::Error>> {
        let stream = TokioIo::new(TcpStream::connect(self.address).await?);
        let (mut sender, connection) = client::conn::http1::handshake(stream).await?;
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.address.to_string());
        if let Some(cookie) = self.cookie() {
            request = request.header(COOKIE, cookie);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let request = request.body(Full::new(Bytes::from(body.unwrap_or_default())))?;
        let (head, body) = sender.send_request(request).await?.into_parts();
        if let Some(set) = head.headers.get(SET_COOKIE) {
            let (cookie, attributes) = set.to_str()?.split_once(';').unwrap_or_default();
            self.set_cookie((!attributes.contains("Max-Age=0")).then(|| cookie.to_owned()));
        }
        let body = body.collect().await?.to_bytes();
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body,
        })
    }
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The header as text; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("it is text"))
    }

    /// The body, if the status is this one.
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        if self.body.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }
}
