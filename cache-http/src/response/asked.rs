//! A request that may be answered from the cache, and what may be said of stored responses as answers to it.

use std::sync::Arc;

use cache_runtime::Key;
use http::{
    HeaderName, Method, Response, StatusCode,
    header::{AGE, AUTHORIZATION, COOKIE},
    request::Parts,
};

use super::{
    ask::Made,
    body::Body,
    conditional,
    directives::RequestDirectives,
    freshness::{millis, now},
    key::{Resource, choices, path_tag},
    layer::Shared,
    report::{Forward, Report},
    storable::Asker,
    stored::{Entry, Stored},
};

/// See the module.
pub(super) struct Asked {
    pub(super) shared: Arc<Shared>,
    pub(super) head: Parts,
    pub(super) resource: Resource,
    pub(super) asker: Asker,
    /// Whose the response is, if it is for one alone.
    pub(super) owner: Option<String>,
    pub(super) said: RequestDirectives,
}

/// What of the stored responses will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// What the layer allows.
    Usual,
    /// A stale one as well, for so many milliseconds.
    Stale(u64),
    /// A fresh one, or where the handler fails a stale one.
    BestThere,
    Fresh,
    /// None of them.
    New,
}

/// Whether a stored response may answer a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Suits {
    Yes,
    /// Only in the place of a failure.
    WhereFails,
    /// Not as stale as it is.
    WhereFresh,
    /// Nor if it were fresh.
    Not,
}

impl Asked {
    /// The answer of a hit that needs nothing but memory, which nearly all do.
    pub(super) fn at_once(&self) -> Option<Response<Body>> {
        let Self { shared, said, .. } = self;
        let plain = self.head.method == Method::GET && !said.no_store && !said.asks_for_new();
        if !plain || said.max_stale.is_some() {
            return None;
        }
        let key = self.key(&shared.settings.vary);
        // That of the path is in all that is under this key; others are what a closure makes of them.
        let tagged = shared.settings.tags.as_ref();
        let tagged = tagged.map(|_| shared.policy.clone().tags(self.tags()));
        let policy = tagged.as_ref().unwrap_or(&shared.policy);
        match shared.cache.get_in_memory::<Entry>(&key, policy)? {
            Entry::Response(stored) if stored.is_for(&self.head.headers) => {
                let now = now();
                let suits = self.suits(&stored, Want::Usual, now) == Suits::Yes;
                suits.then(|| self.had(&stored, None, now))
            }
            _ => None,
        }
    }

    pub(super) fn key(&self, names: &[HeaderName]) -> Key {
        let by = match (self.asker.authorized, self.asker.cookies) {
            (false, false) => &[][..],
            (true, false) => &[AUTHORIZATION],
            (false, true) => &[COOKIE],
            (true, true) => &[AUTHORIZATION, COOKIE],
        };
        let key = self.resource.key(&choices(names, &self.head.headers, by));
        match &self.owner {
            Some(owner) => key.in_scope(owner),
            None => key,
        }
    }

    /// What is known of its tags before there is a response.
    pub(super) fn tags(&self) -> impl Iterator<Item = String> {
        let more = self.shared.settings.tags.as_ref();
        let more = more.map(|tags| tags(&self.head)).unwrap_or_default();
        more.into_iter().chain([path_tag(&self.resource.path)])
    }

    /// Whether a response that is there, and was not made for this request, may answer it.
    pub(super) fn suits(&self, stored: &Stored, want: Want, now: u64) -> Suits {
        let (said, age) = (&self.said, stored.age_at(now));
        if want == Want::New {
            return Suits::Yes;
        }
        let seconds = |seconds: Option<u64>| seconds.map(|it| it * 1_000);
        let too_old = seconds(said.max_age).is_some_and(|most| age > most);
        let ends_soon = seconds(said.min_fresh)
            .is_some_and(|least| age.saturating_add(least) > stored.lifetime);
        if too_old || ends_soon {
            return Suits::Not;
        }
        // The cache has said that it is fresh, by better clocks.
        let Some(past) = age
            .checked_sub(stored.lifetime)
            .filter(|_| want != Want::Fresh)
        else {
            return Suits::Yes;
        };
        if stored.stale.never {
            return Suits::WhereFresh;
        }
        let usual = millis(self.shared.settings.stale_while_revalidate);
        let (window, layers) = match want {
            Want::Stale(most) => (most, most),
            Want::Usual => (
                stored.stale.while_revalidate.unwrap_or(u64::MAX).min(usual),
                usual,
            ),
            Want::New | Want::Fresh | Want::BestThere => (0, 0),
        };
        match stored.outlasts_failure(&self.shared, now) {
            _ if past < window => Suits::Yes,
            // In the window of the layer it is served whatever the handler does; behind it, where the handler has failed.
            true if past >= layers => Suits::Yes,
            true => Suits::WhereFails,
            false => Suits::WhereFresh,
        }
    }

    pub(super) fn just_made(&self, made: &Made, miss: Forward) -> Response<Body> {
        let now = now();
        let why = match miss {
            Forward::Request => miss,
            _ if made.replaces => Forward::Stale,
            miss => miss,
        };
        let report = Report {
            status: Some(made.status.as_u16()),
            stored: true,
            ttl: Some(made.stored.ttl_at(now)),
            ..Report::forwarded(why)
        };
        self.serve(&made.stored, report, now)
    }

    pub(super) fn in_place_of_error(&self, stored: &Stored, now: u64) -> Response<Body> {
        let report = Report {
            ttl: Some(stored.ttl_at(now)),
            ..Report::forwarded(Forward::Stale)
        };
        self.serve(stored, report.because("error"), now)
    }

    /// `collapsed`: it was made after this request had come, and why that one was forwarded.
    pub(super) fn had(
        &self,
        stored: &Stored,
        collapsed: Option<Forward>,
        now: u64,
    ) -> Response<Body> {
        let hit = Report::hit(stored.ttl_at(now));
        let report = match collapsed {
            None => hit,
            Some(_) => Report {
                forward: collapsed,
                collapsed: true,
                ..hit
            },
        };
        self.serve(stored, report, now)
    }

    fn serve(&self, stored: &Stored, report: Report, now: u64) -> Response<Body> {
        let has = conditional::client_has(&self.head.headers, stored.status, &stored.headers);
        let (status, mut headers) = match has {
            true => (
                StatusCode::NOT_MODIFIED,
                conditional::of_not_modified(&stored.headers),
            ),
            false => (stored.status, stored.headers.clone()),
        };
        let age = stored.age_at(now) / 1_000;
        if age > 0 || report.forward.is_none() {
            headers.insert(AGE, age.into());
        }
        let is_empty = has || self.head.method == Method::HEAD;
        let body = if is_empty {
            Body::default()
        } else {
            Body::whole(stored.body.clone())
        };
        let mut response = Response::new(body);
        (*response.status_mut(), *response.headers_mut()) = (status, headers);
        self.shared.reported(response, report)
    }

    /// Nothing is stored, and the client wanted nothing else (RFC 9111, section 5.2.1.7).
    pub(super) fn unsatisfied(&self) -> Response<Body> {
        let mut response = Response::new(Body::default());
        *response.status_mut() = StatusCode::GATEWAY_TIMEOUT;
        self.shared
            .reported(response, Report::default().because("only-if-cached"))
    }
}

impl Stored {
    fn ttl_at(&self, now: u64) -> i64 {
        let (lifetime, age) = (
            i64::try_from(self.lifetime),
            i64::try_from(self.age_at(now)),
        );
        lifetime
            .unwrap_or(i64::MAX)
            .saturating_sub(age.unwrap_or(i64::MAX))
    }
}
