//! A service whose handler answers as its request says, and a client that knows nothing of caching or cookies.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    response::Response,
};
use cache_http::response::ResponseCache;
use cache_runtime::{Cache, Policy};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Mutex,
    task::JoinHandle,
};

/// Header lines the handler is to answer with, separated by `|`.
pub(crate) const SAY: &str = "x-say";
/// The status it is to answer with.
pub(crate) const STATUS: &str = "x-status";
/// The body; without it, which call of the handler it was.
pub(crate) const BODY: &str = "x-body";
/// Milliseconds it is to take.
pub(crate) const TAKE: &str = "x-take";

/// What the handler knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    calls: AtomicU64,
    running: AtomicU64,
    most_running: AtomicU64,
    /// What it answers with whatever the request says.
    fails: std::sync::Mutex<Option<StatusCode>>,
    /// The fields of the last request.
    seen: std::sync::Mutex<HeaderMap>,
}

impl Origin {
    /// How often the handler was called.
    pub(crate) fn calls(&self) -> u64 {
        self.0.calls.load(Ordering::SeqCst)
    }

    /// How many calls there were at once, at most.
    pub(crate) fn most_at_once(&self) -> u64 {
        self.0.most_running.load(Ordering::SeqCst)
    }

    /// From now on it answers with this, or again as the requests say.
    pub(crate) fn fail(&self, with: Option<StatusCode>) {
        *self.0.fails.lock().expect("no test panics with it") = with;
    }

    /// The fields of the last request that reached it.
    pub(crate) fn seen(&self) -> HeaderMap {
        self.0.seen.lock().expect("no test panics with it").clone()
    }
}

/// Answers as the request says.
pub(crate) async fn handler(State(origin): State<Origin>, request: Request<Body>) -> Response {
    let headers = request.headers().clone();
    let calls = origin.0.calls.fetch_add(1, Ordering::SeqCst) + 1;
    let running = origin.0.running.fetch_add(1, Ordering::SeqCst) + 1;
    origin.0.most_running.fetch_max(running, Ordering::SeqCst);
    *origin.0.seen.lock().expect("no test panics with it") = headers.clone();
    let text = |name: &str| {
        headers
            .get(name)
            .map(|value| value.to_str().expect("it is text"))
    };
    if let Some(millis) = text(TAKE) {
        tokio::time::sleep(Duration::from_millis(
            millis.parse().expect("it is a number"),
        ))
        .await;
    }
    origin.0.running.fetch_sub(1, Ordering::SeqCst);
    let body = text(BODY).map_or_else(|| format!("call {calls}"), str::to_owned);
    let mut response = Response::new(Body::from(body));
    if let Some(status) = text(STATUS) {
        *response.status_mut() = status.parse().expect("it is a status");
    }
    for line in text(SAY)
        .unwrap_or_default()
        .split('|')
        .filter(|line| !line.is_empty())
    {
        let (name, value) = line.split_once(": ").expect("it is a line of a head");
        let name = HeaderName::from_bytes(name.as_bytes()).expect("it is a name");
        response
            .headers_mut()
            .append(name, HeaderValue::from_str(value).expect("it is a value"));
    }
    let fails = *origin.0.fails.lock().expect("no test panics with it");
    if let Some(status) = fails {
        *response.status_mut() = status;
    }
    // A handler of its own that knows what it has.
    let etag = response.headers().get("etag");
    if etag.is_some() && etag == headers.get("if-none-match") {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
    }
    response
}

/// A running service; it ends with this value.
#[derive(Debug)]
pub(crate) struct Service {
    addr: SocketAddr,
    pub(crate) origin: Origin,
    task: JoinHandle<()>,
    connection: Mutex<Option<SendRequest<Full<Bytes>>>>,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A cache in memory, without jitter.
pub(crate) fn cache() -> Cache {
    let builder = Cache::builder("shop").defaults(Policy::new().jitter(0.0));
    builder.build().expect("the settings make sense")
}

impl Service {
    /// The scripted handler behind a layer.
    pub(crate) async fn of(layer: ResponseCache) -> Service {
        let origin = Origin::default();
        let app = Router::new()
            .fallback(handler)
            .layer(layer)
            .with_state(origin.clone());
        Self::start(app, origin).await
    }

    /// The scripted handler behind the layer that is made of the usual one, over a cache of its own.
    pub(crate) async fn with(change: impl FnOnce(ResponseCache) -> ResponseCache) -> Service {
        Self::of(change(ResponseCache::new(&cache()))).await
    }

    /// Serves on a free port.
    pub(crate) async fn start(app: Router, origin: Origin) -> Service {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port is free");
        let addr = listener.local_addr().expect("it is bound");
        let task = tokio::spawn(async move {
            axum::serve(listener, app)
                .await
                .expect("it accepts for ever")
        });
        Service {
            addr,
            origin,
            task,
            connection: Mutex::new(None),
        }
    }

    /// Sends a request on the connection of this value, one at a time.
    pub(crate) async fn send(&self, request: Ask) -> Answer {
        let mut connection = self.connection.lock().await;
        if connection.as_ref().is_none_or(SendRequest::is_closed) {
            *connection = Some(self.connect().await);
        }
        let connection = connection.as_mut().expect("it was just made");
        connection.ready().await.expect("the service is there");
        let answer = connection.send_request(request.request()).await;
        Answer::of(answer.expect("the service answers")).await
    }

    /// Sends a request on a connection of its own.
    pub(crate) async fn send_alone(&self, request: Ask) -> Answer {
        let mut connection = self.connect().await;
        let answer = connection.send_request(request.request()).await;
        Answer::of(answer.expect("the service answers")).await
    }

    /// The same, without waiting for the body.
    pub(crate) async fn begin(
        &self,
        request: Ask,
    ) -> hyper::Result<http::Response<hyper::body::Incoming>> {
        let mut connection = self.connect().await;
        connection.send_request(request.request()).await
    }

    async fn connect(&self) -> SendRequest<Full<Bytes>> {
        let stream = TcpStream::connect(self.addr)
            .await
            .expect("the service is there");
        let (sender, connection) = handshake(TokioIo::new(stream))
            .await
            .expect("the service speaks HTTP");
        tokio::spawn(connection);
        sender
    }
}

/// A request to send.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    method: Method,
    path: String,
    lines: Vec<(String, String)>,
}

pub(crate) fn get(path: &str) -> Ask {
    Ask {
        method: Method::GET,
        path: path.to_owned(),
        lines: vec![("host".to_owned(), "shop.example".to_owned())],
    }
}

impl Ask {
    pub(crate) fn method(mut self, method: Method) -> Ask {
        self.method = method;
        self
    }

    /// One more field.
    pub(crate) fn field(mut self, name: &str, value: &str) -> Ask {
        self.lines.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Another host.
    pub(crate) fn host(mut self, host: &str) -> Ask {
        self.lines[0].1 = host.to_owned();
        self
    }

    /// One more field of the response.
    pub(crate) fn say(mut self, line: &str) -> Ask {
        match self.lines.iter_mut().find(|(name, _)| name == SAY) {
            Some((_, lines)) => *lines = format!("{lines}|{line}"),
            None => self.lines.push((SAY.to_owned(), line.to_owned())),
        }
        self
    }

    /// What the `Cache-Control` of the response says.
    pub(crate) fn control(self, directives: &str) -> Ask {
        self.say(&format!("cache-control: {directives}"))
    }

    fn request(self) -> Request<Full<Bytes>> {
        let mut request = Request::builder().method(self.method).uri(self.path);
        for (name, value) in self.lines {
            request = request.header(name, value);
        }
        request
            .body(Full::default())
            .expect("a test sends what can be sent")
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    async fn of(response: http::Response<hyper::body::Incoming>) -> Answer {
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("the body is whole").to_bytes();
        Answer {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    /// The text of a field; empty without it.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("it is text"))
    }

    /// What `Cache-Status` says behind the name of the cache.
    pub(crate) fn told(&self) -> &str {
        self.header("cache-status")
            .strip_prefix("shop; ")
            .unwrap_or_default()
    }

    pub(crate) fn is_hit(&self) -> bool {
        self.told().starts_with("hit")
    }
}
