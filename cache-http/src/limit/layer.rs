//! The layer, and the service it makes.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use cache_runtime::{Cache, RedisHandle};
use http::request::Parts;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{Either, Full};
use tower_layer::Layer;
use tower_service::Service;

use super::decision::Verdict;
use super::memory::Table;
use super::rule::{Answer, Rule};
use super::{RateLimit, fields, refusal};
use crate::together;

/// How many clients are counted in memory where nothing else is said: some 10 MB.
const CLIENTS: usize = 100_000;

/// A tower layer of one limit or several, all of which have to let a request through.
///
/// Counts are in the cache's Redis, in memory where the cache has none. What does not come through is answered with 429, `Retry-After` (whole seconds, rounded up) and
/// `application/problem+json`. Every response carries `RateLimit-Policy`, `RateLimit`, and for older clients `RateLimit-Limit`, `-Remaining`, `-Reset`, of the limit with
/// the least left; `t` and `-Reset` are the seconds until all of it is there again.
///
/// Clones share what they count in memory.
///
/// ```
/// use std::time::Duration;
/// use axum::{Router, routing::get};
/// use cache_http::address::Address;
/// use cache_http::limit::{RateLimit, RateLimits, Route, User};
/// use cache_runtime::Cache;
///
/// # fn user_of(_: &http::request::Parts) -> Option<String> { None }
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let cache = Cache::builder("shop").build()?;
/// let limits = RateLimits::new(&cache)
///     .limit(RateLimit::gcra(100, Duration::from_secs(60)).by((Address::peer(), Route)))
///     .limit(RateLimit::sliding_window(10_000, Duration::from_secs(86_400)).by(User(user_of)))
///     .instances(3);
/// let app: Router = Router::new()
///     .route("/products/{id}", get(|| async { "one" }))
///     .layer(limits);
/// # let _ = app;
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct RateLimits {
    redis: Option<RedisHandle>,
    memory: Arc<Table>,
    limits: Vec<RateLimit>,
    instances: u32,
}

impl RateLimits {
    /// A layer without limits, which lets everything through.
    #[must_use]
    pub fn new(cache: &Cache) -> Self {
        Self {
            redis: cache.redis(),
            memory: Arc::new(Table::new(CLIENTS)),
            limits: Vec::new(),
            instances: 1,
        }
    }

    /// Adds a limit.
    #[must_use]
    pub fn limit(mut self, limit: RateLimit) -> Self {
        self.limits.push(limit);
        self
    }

    /// How many instances of the service there are, default 1: where a limit counts in memory, each lets its part of it through (at least one request).
    #[must_use]
    pub const fn instances(mut self, instances: u32) -> Self {
        self.instances = instances;
        self
    }

    /// How many clients are counted in memory, default 100,000. Beyond that, whoever is furthest from a limit is forgotten.
    #[must_use]
    pub fn max_clients(mut self, clients: usize) -> Self {
        self.memory = Arc::new(Table::new(clients));
        self
    }
}

impl fmt::Debug for RateLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimits")
            .field("limits", &self.limits)
            .field("instances", &self.instances)
            .field("redis", &self.redis.is_some())
            .finish_non_exhaustive()
    }
}

impl<S> Layer<S> for RateLimits {
    type Service = RateLimited<S>;

    fn layer(&self, inner: S) -> RateLimited<S> {
        let rules = self.limits.iter().cloned();
        let rules = rules.map(|limit| Rule::new(limit, self.instances));
        let judge = Judge {
            redis: self.redis.clone(),
            memory: Arc::clone(&self.memory),
            rules: rules.collect(),
        };
        RateLimited {
            inner,
            judge: Arc::new(judge),
        }
    }
}

/// A service behind [`RateLimits`].
#[derive(Clone)]
pub struct RateLimited<S> {
    inner: S,
    judge: Arc<Judge>,
}

impl<S: fmt::Debug> fmt::Debug for RateLimited<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimited")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl<S, B, R> Service<Request<B>> for RateLimited<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: Body<Data = Bytes>,
{
    type Response = Response<Either<R, Full<Bytes>>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that was polled until it was ready is the one to be called; the clone takes its place.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let judge = Arc::clone(&self.judge);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let found = judge.ask(&parts).await;
            let mut response = match found.refusal() {
                Some(refusal) => refusal.map(Either::Right),
                None => {
                    let response = inner.call(Request::from_parts(parts, body)).await?;
                    response.map(Either::Left)
                }
            };
            found.tell(&mut response);
            Ok(response)
        })
    }
}

/// The limits of a layer.
struct Judge {
    redis: Option<RedisHandle>,
    memory: Arc<Table>,
    rules: Vec<Rule>,
}

impl Judge {
    /// Asks all limits that the request concerns, at once.
    async fn ask(&self, parts: &Parts) -> Found<'_> {
        let concerned = self.rules.iter().filter_map(|rule| {
            let ask = rule.concerns(parts)?;
            Some(async move { (rule, rule.ask(ask, self.redis.as_ref(), &self.memory).await) })
        });
        // Collected first: what `parts` says is read before anything is waited for.
        let concerned: Vec<_> = concerned.collect();
        Found(together::all(concerned).await)
    }
}

/// What the limits have said.
struct Found<'a>(Vec<(&'a Rule, Answer)>);

impl<'a> Found<'a> {
    fn counted(&self) -> impl Iterator<Item = (&'a Rule, Verdict)> {
        self.0.iter().filter_map(|&(rule, answer)| match answer {
            Answer::Counted(verdict) => Some((rule, verdict)),
            Answer::Uncounted | Answer::Unavailable => None,
        })
    }

    fn refusal(&self) -> Option<Response<Full<Bytes>>> {
        let beyond = self.counted().filter(|(_, verdict)| !verdict.allowed);
        let (names, waits): (Vec<&str>, Vec<Duration>) = beyond
            .map(|(rule, verdict)| (rule.name.as_str(), verdict.wait))
            .unzip();
        if let Some(wait) = waits.into_iter().max() {
            return Some(refusal::too_many(&names, wait));
        }
        let unavailable = |(_, answer): &(_, Answer)| matches!(answer, Answer::Unavailable);
        self.0.iter().any(unavailable).then(refusal::uncountable)
    }

    /// The limit that refused for longest, else the one with the least left.
    fn tell<R>(&self, response: &mut Response<R>) {
        let tightest = self.counted().min_by_key(|(_, verdict)| {
            (
                verdict.allowed,
                std::cmp::Reverse(verdict.wait),
                verdict.left,
            )
        });
        let rules: Vec<_> = self.0.iter().map(|(rule, _)| *rule).collect();
        fields::write(response.headers_mut(), &rules, tightest);
    }
}
