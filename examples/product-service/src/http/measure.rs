//! Requests as figures: how many, how they ended, how long they took; by route, since a path has ids in it.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use metrics::{counter, histogram};

pub(super) async fn measure(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = match request.method().as_str() {
        // Anything can be sent as a method, and a label must not be anything.
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "OPTIONS" | "PATCH") => {
            known.to_owned()
        }
        _ => "other".to_owned(),
    };
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or_else(|| "none".to_owned(), |route| route.as_str().to_owned());
    let response = next.run(request).await;
    let status = response.status().as_str().to_owned();
    histogram!("http_request_duration_seconds", "method" => method.clone(), "route" => route.clone())
        .record(started.elapsed());
    counter!("http_requests_total", "method" => method, "route" => route, "status" => status)
        .increment(1);
    response
}
