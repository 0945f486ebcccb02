//! Every error is `application/problem+json` (RFC 9457): a client reads one shape, whoever in the stack refused it.
//!
//! Handlers return a [`Problem`]. What the layers and extractors of others answer (405, 408, 413, …) has a status and some text,
//! and `uniform` turns it into the same shape.

use axum::Json;
use axum::extract::Request;
use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::validation::Failed;
use crate::db::is_busy;
use crate::error::Error;

const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// The status, as a number.
    pub status: u16,
    /// The status, as a word.
    pub title: &'static str,
    /// What it means here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Which rules were broken, for a 422.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Failed>,
}

impl Problem {
    /// A status and nothing else.
    pub fn new(status: StatusCode) -> Problem {
        Problem {
            status: status.as_u16(),
            title: status.canonical_reason().unwrap_or("Error"),
            detail: None,
            errors: Vec::new(),
        }
    }

    /// The same, explained.
    pub fn detail(self, detail: impl Into<String>) -> Problem {
        Problem {
            detail: Some(detail.into()),
            ..self
        }
    }

    /// A value that was understood, and cannot be.
    pub fn broken(errors: Vec<Failed>) -> Problem {
        Problem {
            errors,
            ..Problem::new(StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).expect("it was made from one");
        (status, [(CONTENT_TYPE, PROBLEM)], Json(self)).into_response()
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        let status = match &error {
            Error::NotFound(_) => StatusCode::NOT_FOUND,
            Error::Conflict { .. } | Error::Full { .. } => StatusCode::CONFLICT,
            Error::WrongPassword => StatusCode::UNAUTHORIZED,
            // What the database says is for the log: it may name tables, hosts and values.
            Error::Database(reason) => {
                tracing::error!(%reason, "the database failed");
                return match is_busy(reason) {
                    true => {
                        Problem::new(StatusCode::SERVICE_UNAVAILABLE).detail("the database is busy")
                    }
                    false => Problem::new(StatusCode::INTERNAL_SERVER_ERROR),
                };
            }
            Error::Sessions(reason) => {
                tracing::error!(reason, "the sessions failed");
                return Problem::new(StatusCode::INTERNAL_SERVER_ERROR);
            }
        };
        Problem::new(status).detail(error.to_string())
    }
}

/// What an extractor of axum says of what it cannot read.
macro_rules! from_rejections {
    ($($rejection:ty),*) => {$(
        impl From<$rejection> for Problem {
            fn from(rejection: $rejection) -> Problem {
                Problem::new(rejection.status()).detail(rejection.body_text())
            }
        }
    )*};
}

from_rejections!(BytesRejection, JsonRejection, PathRejection, QueryRejection);

/// Gives errors that are not ours the shape of ours. Their headers (`Allow`, `Retry-After`, …) stay.
pub(crate) async fn uniform(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || response.headers().get(CONTENT_TYPE) == Some(&PROBLEM) {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.insert(CONTENT_TYPE, PROBLEM);
    (parts, Json(Problem::new(status))).into_response()
}
