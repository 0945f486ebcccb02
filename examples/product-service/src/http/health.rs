//! What an orchestrator asks.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problem::Problem;
use crate::shop::Shop;

/// What this instance stands on.
#[derive(Debug, Serialize, ToSchema)]
struct Ready {
    database: &'static str,
    /// In words. A cache without its Redis is slower, and as ready.
    cache: String,
}

pub(super) fn routes() -> OpenApiRouter<Shop> {
    OpenApiRouter::new()
        .routes(routes!(alive))
        .routes(routes!(ready))
}

/// The process runs.
#[utoipa::path(get, path = "/healthz", tag = "operations", responses((status = 204, description = "It does")))]
async fn alive() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// It can answer requests.
#[utoipa::path(
    get, path = "/readyz", tag = "operations",
    responses(
        (status = 200, description = "It can", body = Ready),
        (status = 503, description = "The database does not answer", body = Problem),
    )
)]
async fn ready(State(shop): State<Shop>) -> Result<axum::Json<Ready>, Problem> {
    shop.db.ping().await.map_err(|error| {
        tracing::warn!(%error, "not ready");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE).detail("the database does not answer")
    })?;
    Ok(axum::Json(Ready {
        database: "ok",
        cache: shop.cache.health().to_string(),
    }))
}
