//! `/docs`: the OpenAPI document, and a page to try it from.

use axum::Router;
use utoipa::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::shop::Shop;

/// Where the document is.
pub(crate) const DOCUMENT: &str = "/docs/openapi.json";

/// What is said of the service as a whole; the routes add themselves (`utoipa_axum`).
#[derive(Debug, OpenApi)]
#[openapi(
    info(title = "product-service", description = "A shop over SQLite or PostgreSQL, cached in memory and Redis."),
    tags(
        (name = "products", description = "Read by everybody, and cached for all"),
        (name = "wishlist", description = "Of the user who is logged in, and cached for nobody else"),
        (name = "account", description = "Sessions"),
        (name = "operations", description = "For whoever runs it"),
    )
)]
pub(crate) struct Documentation;

/// The page. Its files are part of the program, and the badge that would send the document to a validator elsewhere is off.
pub(crate) fn page(document: utoipa::openapi::OpenApi) -> Router<Shop> {
    let config = Config::default()
        .validator_url("none")
        .try_it_out_enabled(true);
    SwaggerUi::new("/docs")
        .url(DOCUMENT, document)
        .config(config)
        .into()
}
