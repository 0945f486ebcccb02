//! Who is there: users, and the sessions in which they are logged in.

mod password;
pub(crate) mod routes;
pub(crate) mod sessions;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::CACHE_CONTROL;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_sessions::Session;
use utoipa::ToSchema;
use uuid::Uuid;

use self::password::Passwords;
use crate::db::Db;
use crate::error::Error;
use crate::http::problem::Problem;

/// Somebody who is logged in. As an argument of a handler, it refuses everybody else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// Never changes.
    pub id: Uuid,
    /// What they log in with.
    pub name: String,
}

/// The users of the shop.
#[derive(Clone, Debug)]
pub struct Accounts {
    db: Db,
    passwords: Passwords,
}

impl Accounts {
    /// In this database.
    pub fn new(db: Db) -> Accounts {
        Accounts {
            db,
            passwords: Passwords::new(),
        }
    }

    /// The user of this name, if the password is theirs.
    ///
    /// Not cached: what decides over access is read where it is kept.
    ///
    /// # Errors
    /// If it is not, or the database does not answer.
    pub async fn log_in(&self, name: &str, password: String) -> Result<User, Error> {
        let row = sqlx::query("SELECT id, password_hash FROM users WHERE name = $1")
            .bind(name)
            .fetch_optional(self.db.pool())
            .await?;
        let (id, hash): (Option<String>, Option<String>) = match row {
            Some(row) => (
                Some(row.try_get("id")?),
                Some(row.try_get("password_hash")?),
            ),
            None => (None, None),
        };
        let is_right = self.passwords.is_right(password, hash).await;
        let id = id
            .and_then(|id| Uuid::parse_str(&id).ok())
            .filter(|_| is_right);
        let id = id.ok_or(Error::WrongPassword)?;
        Ok(User {
            id,
            name: name.to_owned(),
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for User {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<User, Problem> {
        let user = parts.extensions.get().cloned();
        user.ok_or(Problem::new(StatusCode::UNAUTHORIZED).detail("log in first, at `/api/login`"))
    }
}

/// Finds out once who is asking: the limits count by it, and handlers take it as an argument.
pub(crate) async fn remember(
    session: Session,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let id = session.get(sessions::USER).await.map_err(failed)?;
    let name = session.get(sessions::NAME).await.map_err(failed)?;
    if let (Some(id), Some(name)) = (id, name) {
        request.extensions_mut().insert(User { id, name });
    }
    Ok(next.run(request).await)
}

/// The name that somebody wants to log in under.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) name: String,
}

/// Finds out under which name somebody wants to log in, so that a limit can count by it. What cannot be read the handler refuses, and it checks no password.
pub(crate) async fn attempt(request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    // With the request's extensions, one of which bounds the body.
    let whole = Request::from_parts(parts.clone(), body);
    let body = Bytes::from_request(whole, &()).await?;
    if let Some(name) = routes::name_in(&body) {
        parts.extensions.insert(Attempt { name });
    }
    Ok(next.run(Request::from_parts(parts, Body::from(body))).await)
}

/// What is answered to a session is for that one alone, and no cache between here and the browser can tell by a cookie: HTTP has no rule about them.
pub(crate) fn keep_private() -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, HeaderValue::from_static("no-store"))
}

fn failed(error: tower_sessions::session::Error) -> Problem {
    Error::Sessions(error.to_string()).into()
}
