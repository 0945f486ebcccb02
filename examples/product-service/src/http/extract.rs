//! The extractors of the handlers: as axum's, with a [`Problem`] for what cannot be read, and the rules checked.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::Problem;
use super::validation::{Checks, Validate};

/// A body in JSON.
#[derive(Debug)]
pub struct Json<T>(pub T);

/// The parameters after the `?`.
#[derive(Debug)]
pub struct Query<T>(pub T);

/// The parameters in the path.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Validate, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Json<T>, Problem> {
        let axum::Json(value) = axum::Json::from_request(request, state).await?;
        checked(value).map(Json)
    }
}

impl<T: DeserializeOwned + Validate, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Query<T>, Problem> {
        let axum::extract::Query(value) =
            axum::extract::Query::from_request_parts(parts, state).await?;
        checked(value).map(Query)
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Path<T>, Problem> {
        let axum::extract::Path(value) =
            axum::extract::Path::from_request_parts(parts, state).await?;
        Ok(Path(value))
    }
}

fn checked<T: Validate>(value: T) -> Result<T, Problem> {
    let mut checks = Checks::default();
    value.check(&mut checks);
    if checks.failed.is_empty() {
        Ok(value)
    } else {
        Err(Problem::broken(checks.failed))
    }
}
