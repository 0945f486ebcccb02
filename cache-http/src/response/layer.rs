//! How a response cache is put together.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use cache_runtime::{Cache, Evict, MemoryUse, Policy, StampedeProtection};
use http::{HeaderName, request};
use tower_layer::Layer;

use super::{
    Query,
    key::path_tag,
    passes::Passes,
    report::member,
    service::Cached,
    stored::{Entry, Old},
};

type Of<T> = Arc<dyn Fn(&request::Parts) -> T + Send + Sync>;

/// A tower layer that caches responses; see [the module](super).
///
/// Times are those of the responses, which this layer never prolongs, unless it is said otherwise.
#[derive(Clone)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct ResponseCache {
    cache: Cache,
    settings: Settings,
    /// One for all services that this layer is put around: a router puts it around each route.
    shared: Arc<OnceLock<Arc<Shared>>>,
}

/// What was chosen.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) ttl: Option<Duration>,
    pub(super) vary: Vec<HeaderName>,
    pub(super) query: Query,
    pub(super) host: bool,
    pub(super) tags: Option<Of<Vec<String>>>,
    pub(super) condition: Option<Of<bool>>,
    pub(super) private_by: Option<Of<Option<String>>>,
    pub(super) store_authorized: bool,
    pub(super) ignore_cookies: bool,
    pub(super) client_directives: bool,
    pub(super) stale_while_revalidate: Duration,
    pub(super) stale_if_error: Duration,
    pub(super) max_body: usize,
    pub(super) body_timeout: Duration,
    pub(super) etag: bool,
    pub(super) tag_header: Option<HeaderName>,
    pub(super) cache_status: bool,
    uncacheable_for: Duration,
    policy: Policy,
}

/// What all services of one layer share.
pub(super) struct Shared {
    pub(super) cache: Cache,
    pub(super) settings: Settings,
    pub(super) passes: Passes,
    /// How this cache is called in `Cache-Status`.
    pub(super) member: String,
    /// For what is fresh, or may be served all the same.
    pub(super) policy: Policy,
    /// For what is fresh.
    pub(super) fresh: Policy,
}

impl ResponseCache {
    /// A layer over `cache`, under the same evictions and limits as everything else in it.
    pub fn new(cache: &Cache) -> Self {
        Self {
            cache: cache.clone(),
            settings: Settings {
                ttl: None,
                vary: Vec::new(),
                query: Query::all(),
                host: true,
                tags: None,
                condition: None,
                private_by: None,
                store_authorized: false,
                ignore_cookies: false,
                client_directives: true,
                stale_while_revalidate: Duration::ZERO,
                stale_if_error: Duration::ZERO,
                max_body: 1_000_000,
                body_timeout: Duration::from_secs(5),
                etag: true,
                tag_header: Some(HeaderName::from_static("cache-tag")),
                cache_status: true,
                uncacheable_for: Duration::from_secs(10),
                policy: Policy::new().stampede_protection(StampedeProtection::Fleet),
            },
            shared: Arc::default(),
        }
    }

    /// How long a response is fresh that does not say so itself, counted, as all freshness is, from when the handler was called. Without it such a response is not stored.
    pub fn ttl(self, ttl: Duration) -> Self {
        self.with(|it| it.ttl = Some(ttl))
    }

    /// Header fields of the request on which every response depends: their values are part of the key from the first look on, and their names in the `Vary` of what is stored. For
    /// what a handler does not name in a `Vary` of its own: an API key, a language, a forwarded host.
    pub fn vary(self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.with(|it| {
            it.vary = names.into_iter().collect();
            it.vary
                .sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
            it.vary.dedup();
        })
    }

    /// On which parameters of the query responses depend. Default: on all.
    pub fn query(self, query: Query) -> Self {
        self.with(|it| it.query = query)
    }

    /// Whether responses depend on the host that is asked for. Default: yes, so that virtual hosts never mix; a request without one is not cached then.
    pub fn host(self, depends: bool) -> Self {
        self.with(|it| it.host = depends)
    }

    /// Tags of the response to a request, beside those that its handler names in the header field `Cache-Tag`. They have to follow from what is in the key (path, query, host, the fields of [`vary`](Self::vary)): a response is
    /// served only to requests with the same tags. At most 63 in all; a response with more is not stored.
    pub fn tags<F>(self, tags: F) -> Self
    where
        F: Fn(&request::Parts) -> Vec<String> + Send + Sync + 'static,
    {
        self.with(|it| it.tags = Some(Arc::new(tags)))
    }

    /// Which requests may be cached; the others pass. Default: all. It does not keep a request that changes something from evicting.
    pub fn condition<F>(self, condition: F) -> Self
    where
        F: Fn(&request::Parts) -> bool + Send + Sync + 'static,
    {
        self.with(|it| it.condition = Some(Arc::new(condition)))
    }

    /// Whose the response to a request is. For `Some(owner)` this is a cache of the owner's own: `private` responses are stored, and so are those to requests with `Authorization` or cookies, in the owner's scope, and
    /// nobody else is ever served them; `cache.evict(Evict::scope(owner))` evicts them. For `None` it is the shared cache.
    ///
    /// The owner has to come from what was *verified*: an extension that the authentication in front has set, and not a field that the client may write.
    pub fn private_by<F>(self, owner: F) -> Self
    where
        F: Fn(&request::Parts) -> Option<String> + Send + Sync + 'static,
    {
        self.with(|it| it.private_by = Some(Arc::new(owner)))
    }

    /// Whether requests with `Authorization` are treated as if they had none: for services whose responses are the same for all who are let in, with the check *in front of* this layer. Default: no; their responses
    /// are stored only if they say `public`, `s-maxage` or `must-revalidate`, and apart from those to requests without (RFC 9111, section 3.5).
    pub fn store_authorized(self, store: bool) -> Self {
        self.with(|it| it.store_authorized = store)
    }

    /// Whether requests with cookies are treated as if they had none: for services whose responses do not depend on them. Default: no; their responses are stored only if they say `public` or
    /// `s-maxage`, and apart from those to requests without. HTTP itself has no such rule.
    pub fn ignore_cookies(self, ignore: bool) -> Self {
        self.with(|it| it.ignore_cookies = ignore)
    }

    /// Whether the `Cache-Control` of requests counts (and `Pragma`, where there is none). Default: yes, as HTTP has it. Then any client can have a response made anew, with `no-cache`.
    pub fn client_directives(self, count: bool) -> Self {
        self.with(|it| it.client_directives = count)
    }

    /// For so long after its freshness a response is served at once and made anew in the background. Default: zero. What a response says with a directive of this name (RFC 5861), or with `must-revalidate`,
    /// can make it less.
    pub fn stale_while_revalidate(self, window: Duration) -> Self {
        self.with(|it| it.stale_while_revalidate = window)
    }

    /// For so long after its freshness a response is served where the handler fails: with an error of the service, or a 500, 502, 503 or 504. Default: zero. What a response says with a directive
    /// of this name (RFC 5861), or with `must-revalidate`, can make it less.
    pub fn stale_if_error(self, window: Duration) -> Self {
        self.with(|it| it.stale_if_error = window)
    }

    /// After this share of its life (0 to 1) the next hit has a response made anew in the background, once in the fleet. Default: not.
    pub fn background_refresh(self, share: f64) -> Self {
        self.with(|it| it.policy = it.policy.clone().background_refresh(share))
    }

    /// The longest body that is stored, in bytes. Default: 1,000,000. A longer one passes through, and no more of it than this is ever held. What is written to Redis, as JSON, must stay below
    /// the cache's `max_value_bytes` as well.
    pub fn max_body(self, bytes: usize) -> Self {
        self.with(|it| it.max_body = bytes)
    }

    /// How long a body may take to be stored. Default: 5 seconds. One that takes longer passes through from there on. The client gets the first byte of what is to be stored when the last one is there.
    pub fn body_timeout(self, timeout: Duration) -> Self {
        self.with(|it| it.body_timeout = timeout)
    }

    /// Whether a 200 without an `ETag` gets one, a digest of its body. Default: yes.
    pub fn etag(self, give: bool) -> Self {
        self.with(|it| it.etag = give)
    }

    /// In which header field handlers name tags, separated by commas; it does not reach clients. `None`: in none. Default: `cache-tag`.
    ///
    /// As long as handlers may name tags, the eviction of any tag keeps the responses that are being loaded from being stored: it may be one of theirs. And over Redis, what names a tag that Redis does not know yet is not
    /// stored by the load that found it out, but by the next: nobody could tell whether the tag was evicted meanwhile. What can be known from the request is better said with [`tags`](Self::tags).
    pub fn tag_header(self, name: impl Into<Option<HeaderName>>) -> Self {
        let name = name.into();
        self.with(|it| it.tag_header = name)
    }

    /// Whether responses tell in `Cache-Status` how they were made (RFC 9211). Default: yes.
    pub fn cache_status(self, tell: bool) -> Self {
        self.with(|it| it.cache_status = tell)
    }

    /// For how long it is remembered that the responses of a key cannot be shared, so that its requests do not wait for each other. Default: 10 seconds. At most 16,384 keys in a process.
    pub fn uncacheable_for(self, time: Duration) -> Self {
        self.with(|it| it.uncacheable_for = time)
    }

    /// Who waits for a call of the handler that runs. Default: [`StampedeProtection::Fleet`].
    pub fn stampede_protection(self, protection: StampedeProtection) -> Self {
        self.with(|it| it.policy = it.policy.clone().stampede_protection(protection))
    }

    /// How long a request waits for another's call of the handler. Default: that of the cache, 5 seconds.
    pub fn wait_timeout(self, timeout: Duration) -> Self {
        self.with(|it| it.policy = it.policy.clone().wait_timeout(timeout))
    }

    /// The share of its freshness that is taken off a response at random, so that those stored together do not end together. Default: that of the cache, 0.1.
    pub fn jitter(self, share: f64) -> Self {
        self.with(|it| it.policy = it.policy.clone().jitter(share))
    }

    /// Leaves the memory tier out (`false`) or caps its life (a `Duration`).
    pub fn l1(self, memory: impl Into<MemoryUse>) -> Self {
        self.with(|it| it.policy = it.policy.clone().l1(memory))
    }

    /// Leaves Redis out (`false`).
    pub fn l2(self, on: bool) -> Self {
        self.with(|it| it.policy = it.policy.clone().l2(on))
    }

    /// All responses of a path: for every host and query, for every owner, and whatever they vary by. One round trip, whatever their number, and it can be combined with other evictions.
    ///
    /// ```
    /// use cache_http::response::ResponseCache;
    /// use cache_runtime::{Cache, Evict};
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let cache = Cache::builder("shop").build()?;
    /// cache.evict(ResponseCache::evict_path("/api/products").and(Evict::tag("product:7"))).await?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn evict_path(path: &str) -> Evict {
        Evict::tag(path_tag(path))
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self.shared = Arc::default();
        self
    }

    fn shared(&self) -> &Arc<Shared> {
        let make = || Arc::new(Shared::new(&self.cache, &self.settings));
        self.shared.get_or_init(make)
    }
}

impl Shared {
    fn new(cache: &Cache, settings: &Settings) -> Self {
        let mut fresh = settings
            .policy
            .clone()
            .site("http")
            .unless(|entry: &Entry| matches!(entry, Entry::Pass(Old::Stays)))
            .ttl_from(Entry::ttl)
            // The cache's defaults may say otherwise.
            .stale_if_error(Duration::ZERO)
            // What a client accepts decides what it is served, and not how long others have what was made for it.
            .window(settings.stale_while_revalidate.max(settings.stale_if_error));
        if settings.tag_header.is_some() {
            fresh = fresh.tags_from(Entry::tags);
        }
        let mut policy = fresh.clone().stale_if_error(settings.stale_if_error);
        if !settings.stale_while_revalidate.is_zero() {
            policy = policy.stale_while_revalidate(settings.stale_while_revalidate);
        }
        Self {
            cache: cache.clone(),
            settings: settings.clone(),
            passes: Passes::new(settings.uncacheable_for),
            member: member(cache.name()),
            policy,
            fresh,
        }
    }
}

impl Entry {
    fn ttl(&self) -> Duration {
        match self {
            Self::Response(stored) => {
                Duration::from_millis(stored.lifetime.saturating_sub(stored.age))
            }
            Self::Pass(_) => Duration::ZERO,
        }
    }

    fn tags(&self) -> Vec<String> {
        match self {
            Self::Response(stored) => stored.tags.clone(),
            Self::Pass(_) => Vec::new(),
        }
    }
}

impl<S> Layer<S> for ResponseCache {
    type Service = Cached<S>;

    fn layer(&self, inner: S) -> Cached<S> {
        Cached::new(inner, Arc::clone(self.shared()))
    }
}

impl fmt::Debug for ResponseCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(f, "ResponseCache", &self.cache)
    }
}

impl Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>, name: &str, cache: &Cache) -> fmt::Result {
        f.debug_struct(name)
            .field("cache", &cache.name())
            .field("ttl", &self.ttl)
            .field("vary", &self.vary)
            .field("query", &self.query)
            .field("store_authorized", &self.store_authorized)
            .field("ignore_cookies", &self.ignore_cookies)
            .field("stale_while_revalidate", &self.stale_while_revalidate)
            .field("stale_if_error", &self.stale_if_error)
            .field("max_body", &self.max_body)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(f, "Shared", &self.cache)
    }
}
