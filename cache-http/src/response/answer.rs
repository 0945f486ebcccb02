//! How a request that may be answered from the cache is answered.
//!
//! 1. A key of which it is known that its responses cannot be shared: the handler, for this request alone.
//! 2. Else the cache, which loads, or lets wait, what it has not. What comes back is a response, or the word that there is none for all: then what the own call of the handler has left, or else the handler.
//! 3. A response whose `Vary` chooses another one for this request: once more, under a key that has the fields it names as well. The first response of a resource is kept under the plain key, so that most need one step; after three the handler answers.
//! 4. A response that is there and must not be used, because it is stale and forbids that, or is too old for the client: once more, with less patience.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use cache_runtime::{Key, Known, refresh};
use http::{HeaderName, Method, Request, Response, StatusCode};
use tower_service::Service;

use super::{
    ask::{Ask, Failed, Left},
    asked::{Suits, Want},
    body::{Body, BoxError},
    conditional,
    freshness::now,
    head,
    report::{CACHE_STATUS, Forward, Report},
    storable::judge,
    stored::Entry,
};

/// A resource whose responses name ever more fields in their `Vary` is not worth more.
const MOST_STEPS: usize = 3;

/// What became of one step.
enum Step<R, E> {
    Answer(Result<R, E>),
    /// The response is one of several: the fields that choose.
    Other(Vec<HeaderName>),
    /// The handler, and why it.
    Handler(&'static str),
}

/// What a service needs to have its responses cached; for short.
pub(super) trait Handler<B, R>:
    Service<Request<B>, Response = Response<R>, Future: Send, Error: Send + 'static>
    + Clone
    + Send
    + 'static
{
}

impl<S, B, R> Handler<B, R> for S where
    S: Service<Request<B>, Response = Response<R>, Future: Send, Error: Send + 'static>
        + Clone
        + Send
        + 'static
{
}

type Answer<E> = Result<Response<Body>, E>;

/// Answers a GET or HEAD.
pub(super) async fn answer<S, B, R>(ask: Arc<Ask<S, B, S::Error>>) -> Answer<S::Error>
where
    S: Handler<B, R>,
    B: Default + 'static,
    R: http_body::Body + Send + 'static,
    R::Error: Into<BoxError>,
{
    let said = ask.asked.said;
    if said.no_store {
        let report = Report::forwarded(Forward::Request).because("no-store");
        return ask.forward(None, report).await;
    }
    let looks = said.only_if_cached || ask.asked.head.method == Method::HEAD;
    if looks && said.asks_for_new() {
        return match said.only_if_cached {
            true => Ok(ask.asked.unsatisfied()),
            false => ask.forward(None, Report::forwarded(Forward::Request)).await,
        };
    }
    let mut names = ask.asked.shared.settings.vary.clone();
    let mut report = Report::forwarded(Forward::UriMiss);
    let mut last = None;
    for step in 0..MOST_STEPS {
        let key = ask.asked.key(&names);
        let outcome = match looks {
            true => ask.look(&key).await,
            false => ask.choose(&key, step).await,
        };
        last = Some(key);
        match outcome {
            Step::Answer(answer) => return answer,
            Step::Other(more) => {
                let before = names.len();
                names.extend(more);
                names.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
                names.dedup();
                report = Report::forwarded(Forward::VaryMiss);
                if names.len() == before {
                    break;
                }
            }
            Step::Handler(why) => {
                report = report.because(why);
                break;
            }
        }
    }
    if said.only_if_cached {
        return Ok(ask.asked.unsatisfied());
    }
    ask.forward(last.as_ref(), report).await
}

impl<S, B, E, R> Ask<S, B, E>
where
    S: Service<Request<B>, Response = Response<R>, Error = E, Future: Send>
        + Clone
        + Send
        + 'static,
    B: Default + 'static,
    E: Send + 'static,
    R: http_body::Body + Send + 'static,
    R::Error: Into<BoxError>,
{
    /// A response that is there, for a request that nothing is loaded for.
    async fn look(&self, key: &Key) -> Step<Response<Body>, E> {
        let shared = &self.asked.shared;
        let policy = shared.fresh.clone().tags(self.asked.tags());
        match shared.cache.get_with::<Entry>(key, &policy).await {
            Some(Entry::Response(stored)) if !stored.is_for(&self.asked.head.headers) => {
                Step::Other(stored.varies_by().collect())
            }
            Some(Entry::Response(stored))
                if self.asked.suits(&stored, Want::Fresh, now()) == Suits::Yes =>
            {
                Step::Answer(Ok(self.asked.had(&stored, None, now())))
            }
            _ => Step::Handler("head"),
        }
    }

    async fn choose(self: &Arc<Self>, key: &Key, step: usize) -> Step<Response<Body>, E> {
        if self.asked.shared.passes.has(key.as_str()) {
            return Step::Handler("uncacheable");
        }
        let said = &self.asked.said;
        let mut want = match said.max_stale {
            _ if said.asks_for_new() => Want::New,
            Some(seconds) => Want::Stale(seconds * 1_000),
            None => Want::Usual,
        };
        let miss = match (step, want) {
            (_, Want::New) => Forward::Request,
            (0, _) => Forward::UriMiss,
            _ => Forward::VaryMiss,
        };
        loop {
            let began = now();
            let (fetched, waited) = waiting(self.fetch(key, want)).await;
            let stored = match fetched {
                Ok(Entry::Response(stored)) => stored,
                Ok(Entry::Pass(_)) | Err(Failed) => {
                    return match self.take_left() {
                        Some(left) => Step::Answer(self.left(left, miss)),
                        None => Step::Handler("uncacheable"),
                    };
                }
            };
            if !stored.is_for(&self.asked.head.headers) {
                return Step::Other(stored.varies_by().collect());
            }
            if let Some(made) = self.made(&stored) {
                return Step::Answer(Ok(self.asked.just_made(&made, miss)));
            }
            let (left, now) = (self.take_left(), now());
            want = match (self.asked.suits(&stored, want, now), left) {
                (Suits::Yes, None) => {
                    let collapsed = (waited && stored.came > began).then_some(miss);
                    return Step::Answer(Ok(self.asked.had(&stored, collapsed, now)));
                }
                // The handler was asked and has failed: that is what the stale response stands in for, if it may.
                (Suits::Yes | Suits::WhereFails, Some(_))
                    if stored.outlasts_failure(&self.asked.shared, now) =>
                {
                    return Step::Answer(Ok(self.asked.in_place_of_error(&stored, now)));
                }
                (_, Some(left)) => return Step::Answer(self.left(left, Forward::Stale)),
                (Suits::WhereFails, None) => Want::BestThere,
                (Suits::WhereFresh, None) => Want::Fresh,
                (Suits::Not, None) => Want::New,
            };
        }
    }

    /// What the cache has or loads.
    async fn fetch(self: &Arc<Self>, key: &Key, want: Want) -> Result<Entry, Failed> {
        let shared = &self.asked.shared;
        let load = {
            let (ask, key) = (Arc::clone(self), key.clone());
            move |known: Option<Known<Entry>>| {
                let (ask, key) = (Arc::clone(&ask), key.clone());
                async move { ask.load(known, &key).await }
            }
        };
        let policy = match want {
            Want::Usual => shared.policy.clone(),
            Want::Stale(most) => {
                let most = Duration::from_millis(most);
                shared.policy.clone().stale_while_revalidate(most)
            }
            Want::BestThere => {
                let window = shared.settings.stale_if_error;
                shared.fresh.clone().stale_if_error(window)
            }
            Want::Fresh | Want::New => shared.fresh.clone(),
        };
        let policy = policy.tags(self.asked.tags());
        let fetched = shared.cache.try_get_or_refresh(key, &policy, load);
        match want {
            Want::New => Box::pin(refresh(fetched)).await,
            _ => fetched.await,
        }
    }

    /// The handler's answer, for this request alone.
    pub(super) async fn forward(&self, key: Option<&Key>, report: Report) -> Answer<E> {
        let asked = now();
        let response = self.directly().await?;
        if let Some(key) = key.filter(|_| self.asked.head.method == Method::GET) {
            let at = (now(), now().saturating_sub(asked));
            let ttl = self.asked.shared.settings.ttl;
            if judge(
                self.asked.asker,
                response.status(),
                response.headers(),
                ttl,
                at,
            )
            .is_ok()
            {
                self.asked.shared.passes.remove(key.as_str());
            }
        }
        Ok(self.asked.shared.passed(response, report))
    }

    fn left(&self, left: Left<E>, miss: Forward) -> Answer<E> {
        let mut response = left.response?;
        let report = Report::forwarded(miss).because(left.why);
        let has = conditional::client_has(
            &self.asked.head.headers,
            response.status(),
            response.headers(),
        );
        if has {
            conditional::leave_out_the_body(response.headers_mut());
            let status = response.status().as_u16();
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            let report = Report {
                status: Some(status),
                ..report
            };
            return Ok(self
                .asked
                .shared
                .reported(response.map(|_| Body::default()), report));
        }
        Ok(self.asked.shared.passed(response, report))
    }
}

impl super::layer::Shared {
    /// A response of the handler as it goes to the client.
    pub(super) fn passed<R>(&self, response: Response<R>, report: Report) -> Response<Body>
    where
        R: http_body::Body + Send + 'static,
        R::Error: Into<BoxError>,
    {
        let mut response = response;
        head::take_tags(response.headers_mut(), self.settings.tag_header.as_ref());
        let report = Report {
            status: Some(response.status().as_u16()),
            ..report
        };
        self.reported(response.map(Body::streaming), report)
    }

    pub(super) fn reported(&self, mut response: Response<Body>, report: Report) -> Response<Body> {
        if self.settings.cache_status {
            // Behind those of caches nearer to the origin.
            response
                .headers_mut()
                .append(CACHE_STATUS, report.value(&self.member));
        }
        response
    }
}

/// What a future brings, and whether it had to be waited for.
async fn waiting<F: Future>(future: F) -> (F::Output, bool) {
    let (mut future, mut polls) = (pin!(future), 0_u64);
    let output = poll_fn(|cx| {
        polls += 1;
        future.as_mut().poll(cx)
    });
    (output.await, polls > 1)
}

/// Checked here, so that an error in it is not one about the whole service.
pub(super) fn sent<F: Future + Send>(future: F) -> F {
    future
}
