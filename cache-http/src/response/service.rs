//! The service that a layer makes of another one: which requests the cache has anything to do with.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use http::{
    Method, Request, Response,
    header::{AUTHORIZATION, COOKIE, RANGE, UPGRADE},
    request::Parts,
};
use tower_service::Service;

use super::{
    answer::{Handler, answer, sent},
    ask::{Ask, own},
    asked::Asked,
    body::{Body, BoxError},
    conditional,
    directives::RequestDirectives,
    freshness::Audience,
    invalidate::Change,
    key::Resource,
    layer::Shared,
    report::{Forward, Report},
    storable::Asker,
};

/// A service whose responses are cached; what [`ResponseCache`](super::ResponseCache) makes of one.
///
/// It is always ready: what is answered from the cache needs nothing of the service behind it, which is asked whether it is ready when it is called.
pub struct Cached<S> {
    /// Cloned when it is called, which a hit does not.
    service: Arc<Mutex<S>>,
    shared: Arc<Shared>,
}

impl<S> Cached<S> {
    pub(super) fn new(service: S, shared: Arc<Shared>) -> Self {
        let service = Arc::new(Mutex::new(service));
        Self { service, shared }
    }
}

impl<S> Clone for Cached<S> {
    fn clone(&self) -> Self {
        Self {
            service: Arc::clone(&self.service),
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<S> fmt::Debug for Cached<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached")
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}

/// The answer of a [`Cached`] service on its way; a hit in memory is there at once.
pub struct Answering<E>(State<E>);

enum State<E> {
    There(Option<Response<Body>>),
    Coming(Pin<Box<dyn Future<Output = Result<Response<Body>, E>> + Send>>),
}

impl<E> Future for Answering<E> {
    type Output = Result<Response<Body>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::There(response) => {
                let response = response.take();
                Poll::Ready(Ok(response.expect("a future is not polled after its end")))
            }
            State::Coming(coming) => coming.as_mut().poll(cx),
        }
    }
}

impl<E> fmt::Debug for Answering<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::There(_) => "Answering(there)",
            State::Coming(_) => "Answering(coming)",
        })
    }
}

impl<S, B, R> Service<Request<B>> for Cached<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send + 'static,
    B: http_body::Body + Default + Send + 'static,
    R: http_body::Body + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Answering<S::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Answering<S::Error> {
        let (head, body) = request.into_parts();
        let sorted = self.shared.sort(&head, !body.is_end_stream());
        let (report, change) = match sorted {
            Sorted::Cached(resource, asker, owner, said) => {
                let asked = Asked {
                    shared: Arc::clone(&self.shared),
                    head,
                    resource,
                    asker,
                    owner,
                    said,
                };
                if let Some(response) = asked.at_once() {
                    return Answering(State::There(Some(response)));
                }
                let ask = Ask::new(asked, Arc::clone(&self.service));
                return Answering(State::Coming(Box::pin(sent(answer(Arc::new(ask))))));
            }
            Sorted::Passes(report, change) => (report, change),
        };
        let (shared, service) = (Arc::clone(&self.shared), own(&self.service));
        let request = Request::from_parts(head, body);
        let coming = pass(shared, service, request, report, change);
        Answering(State::Coming(Box::pin(coming)))
    }
}

/// What is done with a request.
enum Sorted {
    Cached(Resource, Asker, Option<String>, RequestDirectives),
    /// To the handler, whose response is not stored; after a change what is stored for the path is old.
    Passes(Report, Option<Change>),
}

impl Shared {
    fn sort(&self, head: &Parts, has_body: bool) -> Sorted {
        let settings = &self.settings;
        let passes = |why, detail| Sorted::Passes(Report::forwarded(why).because(detail), None);
        if head.method != Method::GET && head.method != Method::HEAD {
            let change = (!is_safe(&head.method)).then(|| Change::of(&self.cache, head));
            return Sorted::Passes(Report::forwarded(Forward::Method), change);
        }
        if settings
            .condition
            .as_ref()
            .is_some_and(|condition| !condition(head))
        {
            return passes(Forward::Bypass, "condition");
        }
        let fields = &head.headers;
        for (name, detail) in [(RANGE, "range"), (UPGRADE, "upgrade")] {
            if fields.contains_key(name) {
                return passes(Forward::Bypass, detail);
            }
        }
        if conditional::is_for_the_handler(fields) {
            return passes(Forward::Bypass, "precondition");
        }
        if has_body {
            return passes(Forward::Bypass, "body");
        }
        let Some(resource) = Resource::of(head, settings.host, &settings.query) else {
            return passes(Forward::Bypass, "host");
        };
        let owner = settings.private_by.as_ref().and_then(|owner| owner(head));
        let asker = match owner {
            // The scope tells askers apart.
            Some(_) => Asker {
                audience: Audience::Private,
                authorized: false,
                cookies: false,
            },
            None => Asker {
                audience: Audience::Shared,
                authorized: !settings.store_authorized && fields.contains_key(AUTHORIZATION),
                cookies: !settings.ignore_cookies && fields.contains_key(COOKIE),
            },
        };
        let said = match settings.client_directives {
            true => RequestDirectives::of(fields),
            false => RequestDirectives::default(),
        };
        Sorted::Cached(resource, asker, owner, said)
    }
}

/// Of a method nobody knows it has to be assumed that it changes something.
fn is_safe(method: &Method) -> bool {
    method.is_safe() || method.as_str() == "QUERY" || method.as_str() == "PROPFIND"
}

async fn call<S, B>(mut service: S, request: Request<B>) -> Result<S::Response, S::Error>
where
    S: Service<Request<B>>,
{
    poll_fn(|cx| service.poll_ready(cx)).await?;
    service.call(request).await
}

/// To the handler and back. What a change has made old is gone before its response is handed on; one whose handler fails may have done anything, and evicts as it is dropped.
async fn pass<S, B, R>(
    shared: Arc<Shared>,
    service: S,
    request: Request<B>,
    report: Report,
    change: Option<Change>,
) -> Result<Response<Body>, S::Error>
where
    S: Handler<B, R>,
    R: http_body::Body + Send + 'static,
    R::Error: Into<BoxError>,
{
    let response = call(service, request).await?;
    let response = shared.passed(response, report);
    if let Some(change) = change {
        change.answered(response.status(), response.headers()).await;
    }
    Ok(response)
}
