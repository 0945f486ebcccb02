//! Administration: what a cache does and how it is, as a page that moves, as JSON and for Prometheus; inspect and evict.
//!
//! **Problem.** What a cache does is invisible, until something is wrong; then somebody wants the figures of the last minutes, what is stored under a key, and to get rid of
//! it, from a telephone perhaps, and without asking Redis by hand.
//!
//! **Decision.** A router that a service nests where it likes, behind a guard that it has to choose. The page is plain files in the program; it asks for
//! everything once a second, with counters as they are, and makes rates of them itself. The server keeps nothing for it but what it told it ([`router`]).
//! Values are never shown.

mod evict;
mod files;
mod guard;
mod inspect;
mod own_pages;
mod readings;
mod view;
mod watch;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use cache_runtime::{Cache, Stats};
use http::{StatusCode, header::CONTENT_TYPE};
use serde::Serialize;

pub use self::guard::Guard;

use self::{
    view::{CacheView, FindingView, milliseconds, unix_ms},
    watch::{Happened, Sample, Watch},
};

/// A request to evict; a key is at most 64 KiB, unless the service says otherwise.
const LARGEST_REQUEST: usize = 256 << 10;

/// What the report says changes slowly.
const BETWEEN_REPORTS: Duration = Duration::from_secs(10);

/// The administration of one or several caches, to be nested under any path.
///
/// With `nest_service` it is found with and without a slash at the end of the path, with `nest` only without.
///
/// ```
/// use axum::Router;
/// use cache_http::admin::{self, Guard};
/// use cache_runtime::Cache;
///
/// # fn app(token: String) -> Result<Router, cache_runtime::BuildError> {
/// let cache = Cache::builder("shop").build()?;
/// let app = Router::new().nest_service("/admin/cache", admin::router(&cache, Guard::token(token)));
/// # Ok(app) }
/// ```
///
/// | below the path | what |
/// | --- | --- |
/// | `GET /` | the page |
/// | `GET /api/overview` | counters in total and per site, health, what `Cache::report` finds (asked for at most every 10 s), what happened lately |
/// | `GET /api/history` | what overviews of the last minutes said in total, oldest first, at most 600, while somebody looked |
/// | `GET /api/inspect?key=…` | what is stored under a key, with `scope=…` that of an owner: age, life, tags, size; never the value |
/// | `POST /api/evict` | `{"kind": "key", "value": "product:7"}`; kinds: `key` (with `scope`), `pattern`, `tag`, `region`, `scope`, `all` (with the cache's name in `confirm`); `"expire": true` marks as past the ttl instead. 200 if it is done, 202 if Redis has yet to hear of it |
/// | `GET /metrics` | the counters for Prometheus, of all caches; names as in `Stats::prometheus` |
///
/// Where there are several caches, `cache` says which (a field of the JSON, or of the query): its name. What changes something has to come as JSON and with the header `X-Cache-Admin`,
/// and, from a browser, from the page itself.
pub fn router(caches: impl Into<Caches>, guard: Guard) -> Router {
    let admin: Shared = Arc::new(Admin {
        caches: caches.into().named(),
        started: Instant::now(),
        watch: Mutex::default(),
    });
    let mut router = Router::new()
        .route("/", get(files::page))
        .route("/api/overview", get(overview))
        .route("/api/history", get(history))
        .route("/api/inspect", get(inspect::answer))
        .route("/api/evict", post(evict::answer))
        .route("/metrics", get(metrics));
    for (path, kind, text) in files::FILES {
        router = router.route(path, files::file(kind, text));
    }
    // Layers of routes, not of the router: where it is merged, what it does not know is the service's to answer.
    router
        .route_layer(DefaultBodyLimit::max(LARGEST_REQUEST))
        .route_layer(middleware::from_fn_with_state(guard, guarded))
        .route_layer(middleware::from_fn(files::with_headers))
        .with_state(admin)
}

/// The caches of a page.
#[derive(Clone, Debug)]
pub struct Caches(Vec<Cache>);

impl From<Cache> for Caches {
    fn from(cache: Cache) -> Self {
        Self(vec![cache])
    }
}

impl From<&Cache> for Caches {
    fn from(cache: &Cache) -> Self {
        cache.clone().into()
    }
}

impl From<Vec<Cache>> for Caches {
    fn from(caches: Vec<Cache>) -> Self {
        Self(caches)
    }
}

impl<const N: usize> From<[Cache; N]> for Caches {
    fn from(caches: [Cache; N]) -> Self {
        Self(caches.into())
    }
}

impl Caches {
    /// Names tell caches apart, nearly always: where two have the same, the later gets a number.
    fn named(self) -> Vec<Named> {
        let mut named: Vec<Named> = Vec::with_capacity(self.0.len());
        for cache in self.0 {
            let same = named.iter().filter(|it| it.cache.name() == cache.name());
            let id = match same.count() {
                0 => cache.name().to_owned(),
                before => format!("{}#{}", cache.name(), before + 1),
            };
            named.push(Named::new(id, cache));
        }
        named
    }
}

struct Named {
    id: String,
    cache: Cache,
    /// What was found wrong, and when.
    findings: tokio::sync::Mutex<Option<(Instant, Vec<FindingView>)>>,
}

impl Named {
    fn new(id: String, cache: Cache) -> Self {
        Self {
            id,
            cache,
            findings: tokio::sync::Mutex::default(),
        }
    }

    /// Servers are asked for it, so it is looked for now and then, once for all who look.
    async fn findings(&self) -> Vec<FindingView> {
        let mut found = self.findings.lock().await;
        match &*found {
            Some((at, findings)) if at.elapsed() < BETWEEN_REPORTS => findings.clone(),
            _ => {
                let report = self.cache.report().await;
                let findings: Vec<_> = report.into_iter().map(FindingView::from).collect();
                *found = Some((Instant::now(), findings.clone()));
                findings
            }
        }
    }
}

struct Admin {
    caches: Vec<Named>,
    started: Instant,
    watch: Mutex<Watch>,
}

type Shared = Arc<Admin>;

impl Admin {
    /// The cache of this name; without one the only cache.
    fn cache(&self, id: Option<&str>) -> Option<&Named> {
        match (id, &*self.caches) {
            (None, [only]) => Some(only),
            (None, _) => None,
            (Some(id), all) => all.iter().find(|it| it.id == id),
        }
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.caches.iter().map(|it| &it.id))
            .finish()
    }
}

async fn guarded(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match guard.judge(parts.clone()).await {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(refusal) => refusal,
    }
}

/// All that the page shows.
#[derive(Serialize)]
struct Overview {
    version: &'static str,
    now_ms: u64,
    /// Since the router was made.
    uptime_ms: u64,
    caches: Vec<CacheView>,
    events: Vec<Happened>,
}

async fn overview(State(admin): State<Shared>) -> Json<Overview> {
    let mut caches = Vec::with_capacity(admin.caches.len());
    for named in &admin.caches {
        let findings = named.findings().await;
        caches.push(CacheView::of(&named.id, &named.cache, findings));
    }
    let events = {
        let mut watch = admin.watch();
        watch.looked(&caches);
        watch.events()
    };
    Json(Overview {
        version: env!("CARGO_PKG_VERSION"),
        now_ms: unix_ms(SystemTime::now()),
        uptime_ms: milliseconds(admin.started.elapsed()),
        caches,
        events,
    })
}

async fn history(State(admin): State<Shared>) -> Json<Vec<Sample>> {
    let samples = admin.watch().samples();
    Json(samples)
}

async fn metrics(State(admin): State<Shared>) -> impl IntoResponse {
    let figures = |named: &Named| (named.id.clone(), named.cache.stats());
    let stats: Vec<_> = admin.caches.iter().map(figures).collect();
    let text = Stats::prometheus_of(stats.iter().map(|(id, stats)| (id.as_str(), stats)));
    (
        [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        text,
    )
}

/// Why a request is not answered.
#[derive(Serialize)]
struct Problem {
    error: String,
}

fn problem(status: StatusCode, error: impl Into<String>) -> Response {
    let error = error.into();
    (status, Json(Problem { error })).into_response()
}
