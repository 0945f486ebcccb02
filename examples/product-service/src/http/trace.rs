//! One span for each request, with an id that the client is told: what it complains about can be found in the log.

use std::time::Duration;

use axum::extract::{MatchedPath, Request};
use axum::http::HeaderValue;
use axum::response::Response;
use tower_http::request_id::{MakeRequestId, RequestId};
use tracing::{Span, field};
use uuid::Uuid;

/// Ids that sort by time. One that a proxy has given stays.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ByTime;

impl MakeRequestId for ByTime {
    fn make_request_id<B>(&mut self, _: &axum::http::Request<B>) -> Option<RequestId> {
        let id = Uuid::now_v7().to_string();
        HeaderValue::try_from(id).ok().map(RequestId::new)
    }
}

/// The query is left out, since people search for things that are nobody's business.
pub(super) fn span(request: &Request) -> Span {
    let id = request.extensions().get::<RequestId>();
    let id = id
        .and_then(|id| id.header_value().to_str().ok())
        .unwrap_or_default();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map(MatchedPath::as_str);
    let span = tracing::info_span!(
        "request",
        id,
        otel.name = format!("{} {}", request.method(), route.unwrap_or("none")),
        otel.kind = "server",
        http.request.method = %request.method(),
        http.route = route,
        url.path = request.uri().path(),
        http.response.status_code = field::Empty,
    );
    #[cfg(feature = "otel")]
    crate::otel::follow(&span, request.headers());
    span
}

pub(super) fn ended(response: &Response, took: Duration, span: &Span) {
    let status = response.status();
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        tracing::error!(status = status.as_u16(), ?took, "answered");
    } else {
        tracing::debug!(status = status.as_u16(), ?took, "answered");
    }
}
