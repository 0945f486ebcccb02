//! Sessions of services on real sockets, over a real Redis.

mod fixation;
mod life;
mod model;
mod outage;
mod races;
mod revoking;
#[path = "../common/socket.rs"]
mod socket;

use std::net::Ipv4Addr;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use cache_http::session::{SessionInfo, SessionStore};
use cache_runtime::Cache;
use http::{Method, StatusCode};
use socket::{Answer, Service};
use tests::scenarios::processes::{builder, connected};
use tests::server::RedisServer;
use time::Duration;
use tower_sessions::{Expiry, Session, SessionManagerLayer};

type Handled<T> = Result<T, StatusCode>;

fn failed(error: tower_sessions::session::Error) -> StatusCode {
    panic!("a store of ours fails no request: {error}")
}

/// `alice` for `/login/alice`: a new id, and the user.
async fn login(session: Session, user: axum::extract::Path<String>) -> Handled<()> {
    session.cycle_id().await.map_err(failed)?;
    session.insert("user", &user.0).await.map_err(failed)
}

async fn whoami(session: Session) -> Handled<String> {
    let user: Option<String> = session.get("user").await.map_err(failed)?;
    Ok(user.unwrap_or_else(|| "nobody".to_owned()))
}

/// Counts up in the session.
async fn count(session: Session) -> Handled<String> {
    let before: Option<u32> = session.get("count").await.map_err(failed)?;
    let count = before.unwrap_or_default() + 1;
    session.insert("count", count).await.map_err(failed)?;
    Ok(count.to_string())
}

/// Another id, and everybody else out: what a change of password does.
async fn alone(State(store): State<SessionStore>, session: Session) -> Handled<String> {
    let user: Option<String> = session.get("user").await.map_err(failed)?;
    let user = user.ok_or(StatusCode::UNAUTHORIZED)?;
    let own = SessionStore::digest(&session.id().expect("it was loaded"));
    let ended = store.revoke_others(&user, own).await;
    let ended = ended.map_err(|_| StatusCode::ACCEPTED)?;
    session.cycle_id().await.map_err(failed)?;
    Ok(ended.to_string())
}

async fn logout(session: Session) -> Handled<()> {
    session.flush().await.map_err(failed)
}

async fn list(State(store): State<SessionStore>, session: Session) -> Handled<Json<Vec<String>>> {
    let user: Option<String> = session.get("user").await.map_err(failed)?;
    let user = user.ok_or(StatusCode::UNAUTHORIZED)?;
    let found = store.sessions_of(&user).await;
    let found = found.map_err(|_| StatusCode::ACCEPTED)?;
    let names = found.iter().map(|info: &SessionInfo| info.id.to_string());
    Ok(Json(names.collect()))
}

/// An instance of a service with sessions.
struct Instance {
    service: Service,
    store: SessionStore,
}

impl Instance {
    async fn over(store: SessionStore, life: Duration) -> Instance {
        let sessions = SessionManagerLayer::new(store.clone())
            .with_secure(false)
            .with_expiry(Expiry::OnInactivity(life));
        let app = Router::new()
            .route("/login/{user}", post(login))
            .route("/logout", post(logout))
            .route("/alone", post(alone))
            .route("/count", post(count))
            .route("/sessions", get(list))
            .route("/", get(whoami))
            .with_state(store.clone())
            .layer(sessions);
        let service = Service::start(app).await;
        Instance { service, store }
    }

    async fn of(cache: &Cache) -> Instance {
        Instance::over(SessionStore::new(cache), Duration::hours(1)).await
    }

    /// On this server, with time enough for its commands that a busy machine changes nothing.
    async fn on(server: &RedisServer) -> Instance {
        Instance::of(&connected(builder(server)).await).await
    }
}

/// Somebody with a browser: keeps the cookie that was set last.
#[derive(Clone, Debug, Default)]
struct Visitor {
    cookie: Option<String>,
}

impl Visitor {
    async fn send(&mut self, instance: &Instance, method: Method, path: &str) -> Answer {
        let cookie = self.cookie.clone();
        let headers: Vec<_> = cookie.iter().map(|it| ("cookie", it.as_str())).collect();
        let from = Ipv4Addr::LOCALHOST;
        let answer = instance.service.send(method, from, path, &headers).await;
        if let Some(set) = answer.header("set-cookie") {
            let pair = set.split(';').next().unwrap_or_default();
            let removed = pair.ends_with('=') || set.contains("Max-Age=0");
            self.cookie = (!removed).then(|| pair.to_owned());
        }
        answer
    }

    async fn post(&mut self, instance: &Instance, path: &str) -> Answer {
        self.send(instance, Method::POST, path).await
    }

    /// Whom the service takes the visitor for.
    async fn name(&mut self, instance: &Instance) -> String {
        let answer = self.send(instance, Method::GET, "/").await;
        assert_eq!(answer.status, StatusCode::OK);
        answer.body
    }

    async fn count(&mut self, instance: &Instance) -> String {
        let answer = self.post(instance, "/count").await;
        assert_eq!(answer.status, StatusCode::OK);
        answer.body
    }

    async fn logged_in(instance: &Instance, user: &str) -> Visitor {
        let mut visitor = Visitor::default();
        let answer = visitor.post(instance, &format!("/login/{user}")).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(visitor.cookie.is_some());
        visitor
    }
}
