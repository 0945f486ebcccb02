//! What every candidate that caches responses has in common: the service, who asks it, and what is counted.
//!
//! A library beside `common`, so that no other candidate builds a web framework. A candidate hands over its layer by wrapping the router.

mod in_process;
mod sockets;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{Uri, header::CACHE_CONTROL},
    response::IntoResponse,
    routing::get,
};
use common::{Document, Run, Value, origin};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// How many requests of a thousand may reach the handler of a candidate that caches.
const MISSES: u64 = 5;

/// Whether the handler is to be called at all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Handler {
    /// For each request: there is no cache.
    Always,
    /// Once for each path.
    Once,
}

/// Runs the measure that the command line asks for on the router that `wrap` makes of the service's.
pub fn measure(run: &Run, handler: Handler, wrap: impl FnOnce(Router) -> Router) {
    let delay = Duration::from_millis(run.parameters().number("delay", 0));
    let service = Service {
        calls: Arc::default(),
        delay,
        handler,
        length: run.parameters().number("length", 0) as usize,
    };
    let router = Router::new()
        .route("/products/{id}", get(product))
        .with_state(service.clone());
    let router = wrap(router);
    let report = match run.told() {
        "http-calls" => in_process::measure(run, &service, router),
        "http-requests" => sockets::measure(run, &service, router),
        unknown => panic!("no measure is called `{unknown}`"),
    };
    run.tell(&report);
}

#[derive(Clone, Debug)]
struct Service {
    calls: Arc<AtomicU64>,
    /// What a query would take.
    delay: Duration,
    handler: Handler,
    /// Of a text instead of a product; 0 for a product.
    length: usize,
}

impl Service {
    /// Looks whether what was measured is what should have been.
    fn check(&self, calls_before: u64, requests: u64) {
        let calls = self.calls.load(Relaxed) - calls_before;
        let most = match self.handler {
            Handler::Always => requests,
            Handler::Once => requests * MISSES / 1_000,
        };
        assert!(
            calls <= most,
            "{calls} of {requests} requests reached the handler"
        );
    }
}

/// Products as a service hands them out, and says for how long.
async fn product(State(service): State<Service>, Path(id): Path<u64>) -> impl IntoResponse {
    service.calls.fetch_add(1, Relaxed);
    if !service.delay.is_zero() {
        tokio::time::sleep(service.delay).await;
    }
    let body = match service.length {
        0 => Json(origin::owned(id).await).into_response(),
        length => Json(Document::numbered(id, length)).into_response(),
    };
    ([(CACHE_CONTROL, "public, max-age=3600")], body)
}

fn uri(id: u64) -> Uri {
    let uri = format!("/products/{id}").parse();
    uri.expect("digits are a path")
}

/// Whether a body is that of this number.
fn is_of(body: &[u8], id: u64) -> bool {
    common::Undecoded(body.to_vec()).number() == id
}
