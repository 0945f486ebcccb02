//! The directives of RFC 9111, of requests and of responses: one test for each row of a table. Two requests are sent; the table says what becomes of the second.

use std::time::Duration;

use cache_http::response::ResponseCache;
use http::Method;

use super::service::{Ask, STATUS, Service, cache, get};

/// What becomes of the second request.
#[derive(Clone, Copy, Debug)]
enum Then {
    /// It is answered with what was stored for the first.
    Hit,
    /// The handler is asked again; one of the two responses says why, in its `Cache-Status`.
    Asked(&'static str),
    /// The handler is not asked, and there is nothing.
    Status(u16),
}
use Then::{Asked, Hit, Status};

struct Row {
    first: Ask,
    second: Ask,
    layer: fn(ResponseCache) -> ResponseCache,
}

/// The response to both requests says this in its `Cache-Control`.
fn says(control: &str) -> Row {
    both(get("/a").control(control))
}

fn both(request: Ask) -> Row {
    Row {
        first: request.clone(),
        second: request,
        layer: |it| it,
    }
}

impl Row {
    /// Both requests have this field.
    fn with(self, name: &str, value: &str) -> Row {
        Row {
            first: self.first.field(name, value),
            second: self.second.field(name, value),
            ..self
        }
    }

    /// Both responses have this one.
    fn and(self, line: &str) -> Row {
        Row {
            first: self.first.say(line),
            second: self.second.say(line),
            ..self
        }
    }

    /// The first request has this field.
    fn before(self, name: &str, value: &str) -> Row {
        Row {
            first: self.first.field(name, value),
            ..self
        }
    }

    /// The second request has this field.
    fn then(self, name: &str, value: &str) -> Row {
        Row {
            second: self.second.field(name, value),
            ..self
        }
    }

    fn layer(self, layer: fn(ResponseCache) -> ResponseCache) -> Row {
        Row { layer, ..self }
    }

    async fn leads_to(self, then: Then) {
        let service = Service::with(self.layer).await;
        let first = service.send(self.first).await;
        let second = service.send(self.second).await;
        let calls = service.origin.calls();
        let told = format!("first: {}, second: {}", first.told(), second.told());
        match then {
            Hit => {
                assert_eq!(calls, 1, "{told}");
                assert!(second.is_hit(), "{told}");
                assert_eq!(
                    (&second.body, second.status),
                    (&first.body, first.status),
                    "{told}"
                );
                assert!(!second.header("age").is_empty());
            }
            Asked(why) => {
                assert_eq!(calls, 2, "{told}");
                assert!(told.contains(why), "{told}");
                assert_eq!(second.body, "call 2", "{told}");
            }
            Status(status) => {
                let asked = u64::from(!first.told().is_empty());
                assert_eq!((calls, second.status.as_u16()), (asked, status), "{told}");
            }
        }
    }
}

macro_rules! table {
    ($($name:ident: $row:expr => $then:expr;)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                $row.leads_to($then).await;
            }
        )*
    };
}

const LATER: &str = "expires: Fri, 31 Dec 2100 23:59:59 GMT";
const EARLIER: &str = "expires: Sun, 06 Nov 1994 08:49:37 GMT";

table! {
    // What responses say (section 5.2.2, RFC 5861, RFC 8246).
    max_age: says("max-age=60") => Hit;
    max_age_of_zero: says("max-age=0") => Asked("stale");
    max_age_that_is_no_number: says("max-age=soon") => Asked("stale");
    max_age_twice: says("max-age=60, max-age=61") => Asked("stale");
    s_maxage_comes_before_max_age: says("max-age=0, s-maxage=60") => Hit;
    s_maxage_of_zero: says("max-age=60, s-maxage=0") => Asked("stale");
    no_store: says("max-age=60, no-store") => Asked("no-store");
    no_cache: says("max-age=60, no-cache") => Asked("no-cache");
    no_cache_with_fields: says("max-age=60, no-cache=\"x-a\"") => Asked("no-cache");
    private: says("max-age=60, private") => Asked("private");
    private_with_fields: says("max-age=60, private=\"x-a\"") => Asked("private");
    public: says("max-age=60, public") => Hit;
    public_alone_says_nothing_of_freshness: says("public") => Asked("freshness");
    must_revalidate: says("max-age=60, must-revalidate") => Hit;
    proxy_revalidate: says("max-age=60, proxy-revalidate") => Hit;
    must_understand: says("max-age=60, must-understand, no-store") => Hit;
    must_understand_with_another_status: says("max-age=60, must-understand").with(STATUS, "299") => Asked("status");
    immutable: says("max-age=60, immutable") => Hit;
    no_transform: says("max-age=60, no-transform") => Hit;
    unknown_directives: says("max-age=60, foo=\"no-store, private\"") => Hit;
    malformed_directives: says("max-age=60; public") => Asked("stale");

    // Other fields of responses.
    expires: both(get("/a").say(LATER)) => Hit;
    expires_in_the_past: both(get("/a").say(EARLIER)) => Asked("stale");
    expires_that_is_no_date: both(get("/a").say("expires: 0")) => Asked("stale");
    max_age_comes_before_expires: says("max-age=60").and(EARLIER) => Hit;
    age_is_taken_off: says("max-age=60").and("age: 60") => Asked("stale");
    date_in_the_past_is_taken_off: says("max-age=60").and("date: Sun, 06 Nov 1994 08:49:37 GMT") => Asked("stale");
    nothing_is_said: both(get("/a")) => Asked("freshness");
    nothing_is_said_and_the_layer_has_a_ttl: both(get("/a")).layer(|it| it.ttl(Duration::from_secs(60))) => Hit;
    what_is_said_comes_before_the_ttl: says("max-age=0").layer(|it| it.ttl(Duration::from_secs(60))) => Asked("stale");
    set_cookie: says("public, max-age=60").and("set-cookie: a=b") => Asked("set-cookie");
    vary_by_everything: says("max-age=60").and("vary: *") => Asked("vary");
    vary_with_the_same_value: says("max-age=60").and("vary: accept").with("accept", "text/html") => Hit;
    vary_with_another_value: says("max-age=60").and("vary: accept").then("accept", "text/html") => Asked("vary-miss");
    not_found: says("max-age=60").with(STATUS, "404") => Hit;
    found_elsewhere: says("max-age=60").with(STATUS, "302") => Hit;
    a_failure: says("max-age=60").with(STATUS, "500") => Asked("failed");
    forbidden: says("max-age=60").with(STATUS, "403") => Asked("status");
    event_stream: says("max-age=60").and("content-type: text/event-stream") => Asked("stream");

    // What requests say (section 5.2.1).
    request_max_age: says("max-age=60").then("cache-control", "max-age=10") => Hit;
    request_max_age_of_zero: says("max-age=60").then("cache-control", "max-age=0") => Asked("fwd=request");
    request_max_age_that_is_less_than_the_age: says("max-age=60").and("age: 20").then("cache-control", "max-age=10") => Asked("fwd-status=200");
    request_min_fresh: says("max-age=60").then("cache-control", "min-fresh=30") => Hit;
    request_min_fresh_that_is_more: says("max-age=60").then("cache-control", "min-fresh=90") => Asked("fwd-status=200");
    request_max_stale: says("max-age=60").then("cache-control", "max-stale=5") => Hit;
    request_no_cache: says("max-age=60").then("cache-control", "no-cache") => Asked("fwd=request");
    request_no_cache_where_clients_have_no_say: says("max-age=60").then("cache-control", "no-cache").layer(|it| it.client_directives(false)) => Hit;
    request_no_store: says("max-age=60").with("cache-control", "no-store") => Asked("fwd=request; fwd-status=200; detail=no-store");
    request_no_transform: says("max-age=60").then("cache-control", "no-transform") => Hit;
    request_only_if_cached: says("max-age=60").then("cache-control", "only-if-cached") => Hit;
    request_only_if_cached_and_nothing_is: says("no-store").then("cache-control", "only-if-cached") => Status(504);
    request_malformed: says("max-age=60").then("cache-control", "@") => Asked("fwd=request");
    pragma: says("max-age=60").then("pragma", "no-cache") => Asked("fwd=request");
    pragma_beside_cache_control: says("max-age=60").then("pragma", "no-cache").then("cache-control", "max-age=60") => Hit;

    // Who asks (section 3.5).
    authorization: says("max-age=60").with("authorization", "Basic x") => Asked("authorization");
    authorization_and_public: says("max-age=60, public").with("authorization", "Basic x") => Hit;
    authorization_and_s_maxage: says("s-maxage=60").with("authorization", "Basic x") => Hit;
    authorization_and_must_revalidate: says("max-age=60, must-revalidate").with("authorization", "Basic x") => Hit;
    authorization_does_not_use_what_is_for_strangers: says("max-age=60").then("authorization", "Basic x") => Asked("authorization");
    authorization_that_means_nothing: says("max-age=60").with("authorization", "Basic x").layer(|it| it.store_authorized(true)) => Hit;
    authorization_does_not_open_to_cookies: says("max-age=60, must-revalidate").before("authorization", "Basic x").then("cookie", "a=b") => Asked("cookie");
    cookies: says("max-age=60").with("cookie", "a=b") => Asked("cookie");
    cookies_and_public: says("max-age=60, public").with("cookie", "a=b") => Hit;
    cookies_and_s_maxage: says("s-maxage=60").with("cookie", "a=b") => Hit;
    cookies_and_must_revalidate: says("max-age=60, must-revalidate").with("cookie", "a=b") => Asked("cookie");
    cookies_that_mean_nothing: says("max-age=60").then("cookie", "a=b").layer(|it| it.ignore_cookies(true)) => Hit;

    // What passes.
    range: says("max-age=60").then("range", "bytes=0-1") => Asked("fwd=bypass; fwd-status=200; detail=range");
    if_match: says("max-age=60").then("if-match", "\"x\"") => Asked("detail=precondition");
    upgrade: says("max-age=60").then("upgrade", "websocket") => Asked("detail=upgrade");
    condition: says("max-age=60").layer(|it| it.condition(|head| head.uri.path() != "/a")) => Asked("detail=condition");
    options: both(get("/a").control("max-age=60").method(Method::OPTIONS)) => Asked("fwd=method");
}

/// A HEAD is answered from what a GET has stored, and stores nothing.
#[tokio::test]
async fn head() {
    let service = Service::with(|it| it).await;
    let request = get("/a").control("max-age=60").field("x-body", "hello");
    let head = request.clone().method(Method::HEAD);
    let before = service.send(head.clone()).await;
    assert!(before.told().contains("detail=head"), "{}", before.told());
    assert!(!service.send(request).await.is_hit());
    let after = service.send(head).await;
    assert!(after.is_hit(), "{}", after.told());
    assert_eq!((after.header("content-length"), &*after.body), ("5", ""));
    assert_eq!(service.origin.calls(), 2);
}

/// What is answered without a load is counted where the rest is, and is as strict about tags.
#[tokio::test]
async fn head_is_counted_and_judged_as_a_get() {
    let cache = cache();
    let layer = ResponseCache::new(&cache).tags(|request| {
        let tenant = request.headers.get("x-tenant");
        tenant.map_or_else(Vec::new, |it| vec![it.to_str().unwrap().to_owned()])
    });
    let service = Service::of(layer).await;
    let of = |tenant| get("/a").control("max-age=60").field("x-tenant", tenant);
    let head = |tenant| of(tenant).method(Method::HEAD);
    service.send(of("one")).await;
    let answer = service.send(head("one")).await;
    assert!(answer.is_hit(), "{}", answer.told());
    let answer = service.send(head("two")).await;
    assert!(!answer.is_hit(), "{}", answer.told());
    let stats = cache.stats();
    assert_eq!(stats.sites["http"].l1_hits, 1, "{stats:?}");
    assert!(!stats.sites.contains_key("get"), "{stats:?}");
}

/// What is stored is not for who wants a new one, also where nothing is loaded for him.
#[tokio::test]
async fn head_and_only_if_cached_with_no_cache() {
    let service = Service::with(|it| it).await;
    let request = get("/a").control("max-age=60");
    service.send(request.clone()).await;
    let says = |line: &str| request.clone().field("cache-control", line);
    let head = service.send(says("no-cache").method(Method::HEAD)).await;
    assert!(head.told().starts_with("fwd=request"), "{}", head.told());
    assert_eq!(service.origin.calls(), 2);
    let neither = service.send(says("no-cache, only-if-cached")).await;
    assert_eq!(neither.status.as_u16(), 504, "{}", neither.told());
    assert!(service.send(request.clone()).await.is_hit());
    assert_eq!(service.origin.calls(), 2);
}
