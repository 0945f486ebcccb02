//! `/api/login`, `/api/logout`, `/api/me`, `/api/sessions`.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::State;
use axum::http::StatusCode;
use cache_http::session::{SessionError, SessionInfo, SessionStore};
use serde::{Deserialize, Serialize};
use tower_sessions::Session;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{User, failed, sessions};
use crate::error::Error;
use crate::http::extract::Json;
use crate::http::problem::Problem;
use crate::http::validation::{Checks, Validate};
use crate::shop::Shop;

/// Who wants to log in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    /// `ada`, `grace` or `linus`.
    name: String,
    /// For these, the name and `-demo`.
    #[schema(format = Password)]
    password: String,
}

impl Validate for Credentials {
    fn check(&self, checks: &mut Checks) {
        checks.that(
            (1..=100).contains(&self.name.len()) && !self.name.contains(char::is_control),
            "name",
            "has 1 to 100 bytes, and no control characters",
        );
        checks.that(
            (1..=200).contains(&self.password.len()),
            "password",
            "has 1 to 200 bytes",
        );
    }
}

/// Whom the body of a login names; read as the handler reads it, so that both see the same name.
pub(super) fn name_in(body: &[u8]) -> Option<String> {
    let credentials: Credentials = serde_json::from_slice(body).ok()?;
    Some(credentials.name)
}

pub(crate) fn login() -> OpenApiRouter<Shop> {
    OpenApiRouter::new().routes(routes!(log_in))
}

pub(crate) fn account() -> OpenApiRouter<Shop> {
    OpenApiRouter::new()
        .routes(routes!(me))
        .routes(routes!(log_out))
        .routes(routes!(my_sessions, end_sessions))
}

/// Begins a session.
#[utoipa::path(
    post, path = "/login", tag = "account", request_body = Credentials,
    responses(
        (status = 200, description = "Who is logged in now; the session is in a cookie", body = User),
        (status = 401, description = "The name or the password is wrong", body = Problem),
        (status = 429, description = "Too many attempts from this address, or under this name", body = Problem),
    )
)]
async fn log_in(
    State(shop): State<Shop>,
    session: Session,
    Json(credentials): Json<Credentials>,
) -> Result<axum::Json<User>, Problem> {
    let user = shop
        .accounts
        .log_in(&credentials.name, credentials.password)
        .await?;
    // Under a new id: whoever has planted the old one in this browser must not be logged in with it.
    session.cycle_id().await.map_err(failed)?;
    session
        .insert(sessions::USER, user.id)
        .await
        .map_err(failed)?;
    session
        .insert(sessions::NAME, &user.name)
        .await
        .map_err(failed)?;
    Ok(axum::Json(user))
}

/// Ends this session.
#[utoipa::path(
    post, path = "/logout", tag = "account",
    responses((status = 204, description = "Nobody is logged in here any more"))
)]
async fn log_out(session: Session) -> Result<StatusCode, Problem> {
    session.flush().await.map_err(failed)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who is logged in.
#[utoipa::path(
    get, path = "/me", tag = "account",
    responses(
        (status = 200, description = "The user", body = User),
        (status = 401, description = "Nobody is", body = Problem),
    )
)]
async fn me(user: User) -> axum::Json<User> {
    axum::Json(user)
}

/// The sessions of a user.
#[derive(Debug, Serialize, ToSchema)]
struct Sessions {
    /// The one used last first.
    sessions: Vec<OneSession>,
    /// False while Redis, where the others are, does not answer.
    complete: bool,
}

/// A browser in which somebody is logged in. Times are seconds since 1970.
#[derive(Debug, Serialize, ToSchema)]
struct OneSession {
    /// Names it, and is not what its cookie says.
    id: String,
    /// It is this one.
    current: bool,
    created: Option<u64>,
    last_seen: Option<u64>,
    expires: Option<u64>,
}

/// What became of ending them.
#[derive(Debug, Serialize, ToSchema)]
struct Ended {
    /// False while Redis does not answer: they are ended at this instance, and at the others as soon as it does.
    everywhere: bool,
}

/// Where I am logged in.
#[utoipa::path(
    get, path = "/sessions", tag = "account",
    responses(
        (status = 200, description = "All my sessions", body = Sessions),
        (status = 401, description = "Nobody is logged in", body = Problem),
    )
)]
async fn my_sessions(
    State(shop): State<Shop>,
    user: User,
    session: Session,
) -> axum::Json<Sessions> {
    let current = session
        .id()
        .map(|id| SessionStore::digest(&id).to_string())
        .unwrap_or_default();
    let found = shop.sessions.sessions_of(&user.id.to_string()).await;
    let complete = found.is_ok();
    let mut sessions: Vec<OneSession> = found
        .unwrap_or_default()
        .into_iter()
        .map(OneSession::from)
        .collect();
    if !complete {
        sessions.push(OneSession {
            id: current.clone(),
            current: true,
            created: None,
            last_seen: None,
            expires: None,
        });
    }
    for session in &mut sessions {
        session.current = session.id == current;
    }
    axum::Json(Sessions { sessions, complete })
}

/// Logs me out everywhere.
#[utoipa::path(
    delete, path = "/sessions", tag = "account",
    responses(
        (status = 200, description = "All my sessions are ended, this one too", body = Ended),
        (status = 401, description = "Nobody is logged in", body = Problem),
    )
)]
async fn end_sessions(
    State(shop): State<Shop>,
    user: User,
    session: Session,
) -> Result<axum::Json<Ended>, Problem> {
    let ended = shop.sessions.revoke_all(&user.id.to_string()).await;
    let everywhere = match ended {
        Ok(_) => true,
        Err(SessionError::Queued) => false,
        Err(error) => return Err(Error::Sessions(error.to_string()).into()),
    };
    // The cookie goes as well.
    session.flush().await.map_err(failed)?;
    Ok(axum::Json(Ended { everywhere }))
}

impl From<SessionInfo> for OneSession {
    fn from(info: SessionInfo) -> OneSession {
        let seconds = |time: SystemTime| Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs());
        OneSession {
            id: info.id.to_string(),
            current: false,
            created: seconds(info.created),
            last_seen: seconds(info.last_seen),
            expires: seconds(info.expires),
        }
    }
}
