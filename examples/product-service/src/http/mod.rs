//! The routes, and what every request passes through on its way to them.

mod admin;
pub(crate) mod connections;
mod docs;
pub mod extract;
mod health;
pub(crate) mod limits;
mod measure;
pub mod problem;
pub(crate) mod responses;
mod trace;
pub mod validation;

use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing};
use cache_runtime::Cache;
use metrics_exporter_prometheus::PrometheusHandle;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use self::limits::Limits;
use crate::config::Config;
use crate::shop::Shop;
use crate::{account, product, wishlist};

/// The largest product is some 10 KiB.
const LARGEST_BODY: usize = 64 * 1024;
/// Longer than any query may take; who sends a body slower than this is cut off as well.
const LONGEST_REQUEST: Duration = Duration::from_secs(10);

/// Everything the service answers.
pub fn router(shop: Shop, config: &Config, metrics: PrometheusHandle) -> Router {
    let limits = Limits::new(&shop.cache, config);
    let (for_clients, mut document) = OpenApiRouter::with_openapi(docs::Documentation::openapi())
        .nest("/api", api(&shop, config, &limits))
        .split_for_parts();
    let (for_operators, more) = health::routes().split_for_parts();
    document.merge(more);
    // From the outside to the inside: a request goes down this list, its response comes up.
    let around_service = ServiceBuilder::new()
        .layer(from_fn(problem::uniform))
        .layer(CatchPanicLayer::new())
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            LONGEST_REQUEST,
        ))
        .layer(DefaultBodyLimit::max(LARGEST_BODY));
    let around_all = ServiceBuilder::new()
        .layer(SetRequestIdLayer::x_request_id(trace::ByTime))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(trace::span)
                .on_request(())
                .on_response(trace::ended)
                .on_failure(()),
        )
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(from_fn(measure::measure));
    let cache = shop.cache.clone();
    let for_clients = for_clients
        .merge(docs::page(document))
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(limits.all);
    // Whoever floods the service from an address must not keep it from being watched and mended.
    let for_operators = for_operators.route(
        "/metrics",
        routing::get(async move || figures(&metrics, &cache)),
    );
    let mut router = for_clients
        .merge(for_operators)
        .layer(around_service)
        .merge(admin::routes(&shop.cache, config));
    if !config.cached {
        router = router.layer(from_fn(uncached));
    }
    router.layer(around_all).with_state(shop)
}

/// What is below `/api`, with the layers that each part of it calls for.
fn api(shop: &Shop, config: &Config, limits: &Limits) -> OpenApiRouter<Shop> {
    let sessions = ServiceBuilder::new()
        .layer(account::keep_private())
        .layer(account::sessions::layer(&shop.sessions, config))
        .layer(from_fn(account::remember))
        .layer(limits.user.clone());
    // An attempt counts for its address before its name is read.
    let around_login = ServiceBuilder::new()
        .layer(limits.login.clone())
        .layer(from_fn(account::attempt))
        .layer(limits.name.clone());
    let with_session = OpenApiRouter::new()
        .merge(account::routes::login().layer(around_login))
        .merge(account::routes::account())
        .merge(wishlist::routes());
    let mut reading = product::routes::reading();
    if config.cached {
        reading = reading.layer(responses::layer(&shop.cache));
    }
    OpenApiRouter::new()
        .merge(reading.layer(responses::ask_again()))
        .merge(product::routes::writing())
        .merge(with_session.layer(sessions))
}

/// For Prometheus: what the service has counted, and what the cache has.
fn figures(metrics: &PrometheusHandle, cache: &Cache) -> impl IntoResponse + use<> {
    let text = metrics.render() + &cache.stats().prometheus(cache.name());
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

/// The same service without its cache, for comparison: cached functions run their bodies.
async fn uncached(request: Request, next: Next) -> Response {
    cache_runtime::bypass(next.run(request)).await
}
