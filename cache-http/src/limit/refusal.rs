//! The response to a request that is not let through.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};

use super::decision::seconds;

/// Clients that are told to come back "at once" come back at once.
const SOONEST: u64 = 1;

/// 429 (RFC 6585) with the time after which it would be let through, and the limits it went beyond: a problem (RFC 9457) of the type that the draft of
/// the `RateLimit` fields defines.
pub(super) fn too_many(beyond: &[&str], wait: Duration) -> Response<Full<Bytes>> {
    let problem = json!({
        "type": "https://iana.org/assignments/http-problem-types#quota-exceeded",
        "title": "Too many requests",
        "status": 429,
        "violated-policies": beyond,
    });
    respond(StatusCode::TOO_MANY_REQUESTS, wait, &problem)
}

/// 503, where a limit lets nobody through uncounted.
pub(super) fn uncountable() -> Response<Full<Bytes>> {
    let problem = json!({
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
    });
    respond(StatusCode::SERVICE_UNAVAILABLE, Duration::ZERO, &problem)
}

fn respond(status: StatusCode, wait: Duration, problem: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(problem.to_string().into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/problem+json");
    headers.insert(CONTENT_TYPE, json);
    headers.insert(RETRY_AFTER, seconds(wait).max(SOONEST).into());
    response
}
