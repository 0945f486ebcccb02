//! One request that may be answered from the cache, and the calls of the handler that are made in its name.
//!
//! **Problem.** A load answers all who wait for it. But whether a response is for all is known only when it has come.
//!
//! **Decision.** What a load hands to the cache, and so to others, is either a response that may be stored or the bare word that there is none ([`Entry::Pass`]). A response that is not to be shared never enters the cache: it is left with the
//! request in whose name the handler was called, and only that can take it. Whoever waited and got the bare word has the handler called for himself.

use std::{
    fmt,
    future::poll_fn,
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
};

use cache_runtime::{Key, Known, Refresh};
use http::{Request, Response, StatusCode, request::Parts, response};
use tower_service::Service;

use super::{
    asked::Asked,
    body::{Body, BoxError, Read},
    conditional,
    freshness::{millis, now},
    head,
    key::values,
    layer::Shared,
    storable::{Terms, judge},
    stored::{Entry, Old, Stored},
};

/// See the module.
pub(super) struct Ask<S, B, E> {
    pub(super) asked: Asked,
    service: Arc<Mutex<S>>,
    /// What the handler has answered to this request alone.
    left: Mutex<Option<Left<E>>>,
    /// What it has answered for all.
    made: Mutex<Option<Made>>,
    body: PhantomData<fn() -> B>,
}

/// A response for one request.
pub(super) struct Left<E> {
    pub(super) response: Result<Response<Body>, E>,
    /// Why it is not for others.
    pub(super) why: &'static str,
}

/// A response that this request's call of the handler has brought.
#[derive(Clone)]
pub(super) struct Made {
    pub(super) stored: Arc<Stored>,
    /// What the handler answered.
    pub(super) status: StatusCode,
    /// There was something in its place.
    pub(super) replaces: bool,
}

/// The handler has failed, and what is stored may be served in its place.
pub(super) struct Failed;

impl<S, B, E> Ask<S, B, E> {
    pub(super) fn new(asked: Asked, service: Arc<Mutex<S>>) -> Self {
        Self {
            asked,
            service,
            left: Mutex::default(),
            made: Mutex::default(),
            body: PhantomData,
        }
    }

    pub(super) fn take_left(&self) -> Option<Left<E>> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.take()
    }

    /// What a call of the handler in the name of this request has brought, if it is this.
    pub(super) fn made(&self, stored: &Arc<Stored>) -> Option<Made> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let made = made
            .as_ref()
            .filter(|made| Arc::ptr_eq(&made.stored, stored));
        made.cloned()
    }

    fn leave(&self, response: Result<Response<Body>, E>, why: &'static str) {
        let left = Left { response, why };
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = Some(left);
    }
}

impl<S, B, E, R> Ask<S, B, E>
where
    S: Service<Request<B>, Response = Response<R>, Error = E> + Clone,
    B: Default,
    R: http_body::Body + Send + 'static,
    R::Error: Into<BoxError>,
{
    /// Calls the handler for this request alone.
    pub(super) async fn directly(&self) -> Result<Response<R>, E> {
        self.call(self.asked.head.clone()).await
    }

    async fn call(&self, head: Parts) -> Result<Response<R>, E> {
        let mut service = own(&self.service);
        poll_fn(|cx| service.poll_ready(cx)).await?;
        service.call(Request::from_parts(head, B::default())).await
    }

    /// One load. Dropped, it drops the handler's future; one of those who wait loads then.
    pub(super) async fn load(
        &self,
        known: Option<Known<Entry>>,
        key: &Key,
    ) -> Result<Refresh<Entry>, Failed> {
        let old = known.as_ref().and_then(|known| match known.value() {
            Entry::Response(stored) => Some(Arc::clone(stored)),
            Entry::Pass(_) => None,
        });
        // Who waited behind a response that was for one alone need not wait behind each other.
        if old.is_none() && self.asked.shared.passes.has(key.as_str()) {
            return Ok(Refresh::Value(Entry::Pass(Old::Stays)));
        }
        let mut head = self.asked.head.clone();
        conditional::unconditional(&mut head.headers);
        let comparable = old
            .as_ref()
            .filter(|old| old.is_for(&self.asked.head.headers));
        let compares = comparable.filter(|old| conditional::unless_it_is(old, &mut head.headers));
        let asked = now();
        let answered = self.call(head).await;
        let (came, delay) = (now(), now().saturating_sub(asked));
        let response = match answered {
            Ok(response) if !is_failure(response.status()) => response,
            Ok(response) => {
                let response = response.map(Body::streaming);
                return self.failed(Ok(response), old.as_deref(), came);
            }
            Err(error) => return self.failed(Err(error), old.as_deref(), came),
        };
        if is_of_the_request(response.status()) {
            self.leave(Ok(response.map(Body::streaming)), "status");
            return Ok(Refresh::Value(Entry::Pass(Old::Stays)));
        }
        let replaces = old.is_some();
        let entry = match compares {
            Some(old) if response.status() == StatusCode::NOT_MODIFIED => {
                self.confirmed(old, &response, (came, delay))
            }
            _ => self.answered(response, (came, delay), replaces).await,
        };
        if let Entry::Pass(_) = entry {
            self.asked.shared.passes.add(key.as_str());
        }
        Ok(Refresh::Value(entry))
    }

    /// What is stored stays, and is served if it may be; else those who wait try for themselves, as they would without a cache.
    fn failed(
        &self,
        response: Result<Response<Body>, E>,
        old: Option<&Stored>,
        now: u64,
    ) -> Result<Refresh<Entry>, Failed> {
        self.leave(response, "failed");
        match old {
            Some(old) if old.outlasts_failure(&self.asked.shared, now) => Err(Failed),
            _ => Ok(Refresh::Value(Entry::Pass(Old::Stays))),
        }
    }

    async fn answered(&self, response: Response<R>, at: (u64, u64), replaces: bool) -> Entry {
        let (mut parts, body) = response.into_parts();
        let settings = &self.asked.shared.settings;
        let tags = head::take_tags(&mut parts.headers, settings.tag_header.as_ref());
        let terms = judge(
            self.asked.asker,
            parts.status,
            &parts.headers,
            settings.ttl,
            at,
        );
        let (why, body) = match terms {
            Err(why) => (why, Body::streaming(body)),
            Ok(terms) => match Body::read(body, settings.max_body, settings.body_timeout).await {
                Read::Streaming(body, why) => (why, body),
                Read::Whole(bytes) if head::is_cut_short(&parts.headers, bytes.len()) => {
                    ("length", Body::whole(bytes))
                }
                Read::Whole(bytes) => {
                    let stored = self.stored(parts, bytes, terms, tags, at.0);
                    return self.keep(stored, None, replaces);
                }
            },
        };
        self.leave(Ok(Response::from_parts(parts, body)), why);
        Entry::Pass(Old::Goes)
    }

    /// The handler has said that what is stored is still the one (RFC 9111, section 4.3.4).
    fn confirmed(&self, old: &Arc<Stored>, response: &Response<R>, at: (u64, u64)) -> Entry {
        let settings = &self.asked.shared.settings;
        let mut headers = old.headers.clone();
        // That is told of the response that confirms, or not at all.
        headers.remove(http::header::DATE);
        head::freshen(&mut headers, response.headers());
        let named = head::take_tags(&mut headers, settings.tag_header.as_ref());
        let judged = judge(self.asked.asker, old.status, &headers, settings.ttl, at);
        head::keep(&mut headers, at.0);
        head::measure(&mut headers, old.body.len());
        let Ok(terms) = judged else {
            let mut whole = Response::new(Body::whole(old.body.clone()));
            (*whole.status_mut(), *whole.headers_mut()) = (old.status, headers);
            self.leave(Ok(whole), judged.err().unwrap_or_default());
            return Entry::Pass(Old::Goes);
        };
        let mut tags = old.tags.clone();
        tags.extend(named);
        let stored = Stored {
            status: old.status,
            headers,
            body: old.body.clone(),
            came: at.0,
            age: terms.age,
            lifetime: terms.lifetime,
            stale: terms.stale,
            vary: self.chosen_by(&terms),
            tags: sorted(tags),
            own_etag: old.own_etag,
        };
        self.keep(stored, Some(response.status()), true)
    }

    fn keep(&self, stored: Stored, status: Option<StatusCode>, replaces: bool) -> Entry {
        let stored = Arc::new(stored);
        let made = Made {
            status: status.unwrap_or(stored.status),
            stored: Arc::clone(&stored),
            replaces,
        };
        *self.made.lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
        Entry::Response(stored)
    }

    fn stored(
        &self,
        mut parts: response::Parts,
        body: bytes::Bytes,
        terms: Terms,
        tags: Vec<String>,
        came: u64,
    ) -> Stored {
        let settings = &self.asked.shared.settings;
        head::keep(&mut parts.headers, came);
        let own_etag = settings.etag && head::tag_body(&mut parts.headers, parts.status, &body);
        head::vary_by(&mut parts.headers, &settings.vary);
        if parts.status != StatusCode::NO_CONTENT {
            head::measure(&mut parts.headers, body.len());
        }
        Stored {
            status: parts.status,
            headers: parts.headers,
            body,
            came,
            age: terms.age,
            lifetime: terms.lifetime,
            stale: terms.stale,
            vary: self.chosen_by(&terms),
            tags: sorted(tags),
            own_etag,
        }
    }

    fn chosen_by(&self, terms: &Terms) -> std::collections::BTreeMap<String, Vec<String>> {
        let names = terms.vary.iter().chain(&self.asked.shared.settings.vary);
        let of = |name: &http::HeaderName| {
            (
                name.as_str().to_owned(),
                values(&self.asked.head.headers, name),
            )
        };
        names.map(of).collect()
    }
}

impl Stored {
    /// Whether it may be served where the handler fails: it is fresh, or the layer allows it and it does not forbid it.
    pub(super) fn outlasts_failure(&self, shared: &Shared, now: u64) -> bool {
        let past = self.age_at(now).checked_sub(self.lifetime);
        past.is_none_or(|past| {
            let window = millis(shared.settings.stale_if_error);
            !self.stale.never && past < self.stale.if_error.unwrap_or(u64::MAX).min(window)
        })
    }
}

/// A service for one call.
pub(super) fn own<S: Clone>(service: &Mutex<S>) -> S {
    service
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

fn sorted(mut tags: Vec<String>) -> Vec<String> {
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// What RFC 5861, section 4, counts as an error.
fn is_failure(status: StatusCode) -> bool {
    matches!(status.as_u16(), 500 | 502 | 503 | 504)
}

/// What says that this client asked too slowly, too early or too often, and nothing of what it asked for: a limit behind this layer says so.
fn is_of_the_request(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429)
}

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the handler has failed")
    }
}
