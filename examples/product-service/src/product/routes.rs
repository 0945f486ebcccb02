//! `/api/products`.

use std::panic::resume_unwind;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{ETAG, LOCATION};
use axum::response::{IntoResponse, Response};
use tokio_util::task::TaskTracker;
use tracing::Instrument;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{Change, Draft, Page, Product, Search};
use crate::error::Error;
use crate::http::extract::{Json, Path, Query};
use crate::http::problem::Problem;
use crate::http::responses::CACHE_TAG;
use crate::shop::Shop;

/// What anybody may read, and an HTTP cache may keep.
pub(crate) fn reading() -> OpenApiRouter<Shop> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(product))
}

/// What changes products.
pub(crate) fn writing() -> OpenApiRouter<Shop> {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(update, delete))
}

/// Products that match, a page at a time.
#[utoipa::path(
    get, path = "/products", tag = "products", params(Search),
    responses(
        (status = 200, description = "A page; an empty one beyond the last. To be kept and asked for again with `If-None-Match`, as all that is read here", body = Page),
        (status = 400, description = "A parameter that cannot be read, or that there is not", body = Problem),
        (status = 422, description = "A parameter out of its bounds", body = Problem),
    )
)]
async fn list(State(shop): State<Shop>, Query(search): Query<Search>) -> Result<Response, Problem> {
    let search = search.canonical();
    let page = shop.catalogue.list(&search).await?;
    let label = [(CACHE_TAG, format!("shelf:{}", search.shelf()))];
    Ok((label, axum::Json(page)).into_response())
}

/// One product.
#[utoipa::path(
    get, path = "/products/{id}", tag = "products", params(("id" = Uuid, Path)),
    responses(
        (status = 200, description = "The product; `ETag` is its version, to ask with whether it still is", body = Product),
        (status = 404, description = "There is none", body = Problem),
    )
)]
async fn product(State(shop): State<Shop>, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let product = shop.catalogue.product(id).await?;
    let product =
        product.ok_or(Problem::new(StatusCode::NOT_FOUND).detail("there is no such product"))?;
    let label = [(CACHE_TAG, format!("product:{id}"))];
    Ok((label, versioned(StatusCode::OK, &product)).into_response())
}

/// Puts a product on the shelf.
#[utoipa::path(
    post, path = "/products", tag = "products", request_body = Draft,
    responses(
        (status = 201, description = "It is there; `Location` says where", body = Product),
        (status = 422, description = "It breaks a rule", body = Problem),
    )
)]
async fn create(State(shop): State<Shop>, Json(draft): Json<Draft>) -> Result<Response, Problem> {
    let id = Uuid::now_v7();
    let product = shop.catalogue.create(id, &draft).await?;
    let location = [(LOCATION, format!("/api/products/{id}"))];
    Ok((location, versioned(StatusCode::CREATED, &product)).into_response())
}

/// Changes a product that nobody else has changed since.
#[utoipa::path(
    put, path = "/products/{id}", tag = "products", params(("id" = Uuid, Path)), request_body = Change,
    responses(
        (status = 200, description = "As it is now", body = Product),
        (status = 404, description = "There is none", body = Problem),
        (status = 409, description = "It has another version than the change was made from", body = Problem),
        (status = 422, description = "It breaks a rule", body = Problem),
    )
)]
async fn update(
    State(shop): State<Shop>,
    Path(id): Path<Uuid>,
    Json(change): Json<Change>,
) -> Result<Response, Problem> {
    let Shop {
        catalogue, changes, ..
    } = shop;
    let update = async move { catalogue.update(id, &change).await };
    let changed = to_its_end(&changes, update).await?;
    Ok(versioned(StatusCode::OK, &changed.product))
}

/// Takes a product off the shelf, and out of all wishlists.
#[utoipa::path(
    delete, path = "/products/{id}", tag = "products", params(("id" = Uuid, Path)),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "There is none", body = Problem),
    )
)]
async fn delete(State(shop): State<Shop>, Path(id): Path<Uuid>) -> Result<StatusCode, Problem> {
    let Shop {
        catalogue, changes, ..
    } = shop;
    to_its_end(&changes, async move { catalogue.delete(id).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Runs a change to its end though its client leaves, or waits too long. Only what it did tells which shelf a product has left: one that is dropped in the middle evicts
/// everything, and anybody could empty the cache of all instances by hanging up. The server waits for it before it ends.
async fn to_its_end<T: Send + 'static>(
    changes: &TaskTracker,
    change: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Problem> {
    match changes.spawn(change.in_current_span()).await {
        Ok(done) => Ok(done?),
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime ends.
            Err(_) => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE)),
        },
    }
}

fn versioned(status: StatusCode, product: &Product) -> Response {
    let tag = [(ETAG, format!("\"{}\"", product.version))];
    (status, tag, axum::Json(product)).into_response()
}
