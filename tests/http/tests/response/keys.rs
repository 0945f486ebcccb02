//! Which requests share an entry: host, path, query, `Vary`, configured fields, and the prefix that a nested router has cut.

use axum::Router;
use cache_http::response::{Query, ResponseCache};
use http::HeaderName;

use super::service::{Ask, Origin, Service, cache, get, handler};

async fn is_shared(service: &Service, one: Ask, other: Ask) -> bool {
    let before = service.origin.calls();
    service.send(one.control("max-age=60")).await;
    service.send(other.control("max-age=60")).await;
    service.origin.calls() == before + 1
}

#[tokio::test]
async fn paths_queries_and_hosts_tell_responses_apart() {
    let service = Service::with(|it| it).await;
    assert!(!is_shared(&service, get("/a"), get("/b")).await);
    assert!(!is_shared(&service, get("/c?x=1"), get("/c?x=2")).await);
    assert!(is_shared(&service, get("/d?x=1&a=2"), get("/d?a=2&x=1")).await);
    assert!(!is_shared(&service, get("/e"), get("/e").host("other.example")).await);
    assert!(is_shared(&service, get("/f"), get("/f").host("SHOP.example")).await);
    let blind = Service::with(|it| it.host(false).query(Query::only(["page"]))).await;
    assert!(
        is_shared(
            &blind,
            get("/a?utm=1&page=2"),
            get("/a?page=2").host("other.example")
        )
        .await
    );
    assert!(!is_shared(&blind, get("/b?page=1"), get("/b?page=2")).await);
}

#[tokio::test]
async fn a_request_that_names_two_hosts_passes() {
    let service = Service::with(|it| it).await;
    let strange = get("http://other.example/a");
    assert!(!is_shared(&service, strange.clone(), strange).await);
}

#[tokio::test]
async fn fields_that_are_configured_are_in_the_key_and_in_vary() {
    let service = Service::with(|it| it.vary([HeaderName::from_static("x-api-key")])).await;
    assert!(
        !is_shared(
            &service,
            get("/a").field("x-api-key", "1"),
            get("/a").field("x-api-key", "2")
        )
        .await
    );
    let hit = service.send(get("/a").field("x-api-key", "1")).await;
    assert!(hit.is_hit() && hit.header("vary") == "x-api-key", "{hit:?}");
}

/// The first response is under the plain key, the others behind it; each is loaded once.
#[tokio::test]
async fn each_variant_is_kept() {
    let service = Service::with(|it| it).await;
    let request = |language: &str| {
        let request = get("/a").control("max-age=60").say("vary: accept-language");
        request
            .field("accept-language", language)
            .field("x-body", language)
    };
    for language in ["de", "en", "fr", "de", "en", "fr", "de"] {
        let answer = service.send(request(language)).await;
        assert_eq!(answer.body, language, "{}", answer.told());
    }
    assert_eq!(service.origin.calls(), 3);
}

/// Public responses may vary by who asks; then each has his own, and nobody reads in a key who he is.
#[tokio::test]
async fn a_public_response_may_vary_by_who_asks() {
    let service = Service::with(|it| it).await;
    let request = |user: &str| {
        let request = get("/a").control("public, max-age=60").say("vary: cookie");
        request.field("cookie", user).field("x-body", user)
    };
    for user in ["ann", "bob", "ann", "bob"] {
        assert_eq!(service.send(request(user)).await.body, user);
    }
    assert_eq!(service.origin.calls(), 2);
}

/// Variants that vary by more fields than the first one are found as well; where every one names others, the handler answers.
#[tokio::test]
async fn variants_may_vary_by_different_fields() {
    let service = Service::with(|it| it).await;
    let request = |a: &str, b: &str, vary: &str| {
        let request = get("/a")
            .control("max-age=60")
            .say(&format!("vary: {vary}"));
        let body = format!("{a}{b}");
        request
            .field("x-a", a)
            .field("x-b", b)
            .field("x-body", &body)
    };
    for _ in 0..2 {
        for (a, b) in [("1", "1"), ("2", "1"), ("2", "2"), ("3", "2")] {
            let vary = if a == "1" { "x-a" } else { "x-a, x-b" };
            let answer = service.send(request(a, b, vary)).await;
            assert_eq!(answer.body, format!("{a}{b}"), "{}", answer.told());
        }
    }
    assert_eq!(service.origin.calls(), 4);
}

/// The layers of two nested routers see the same path.
#[tokio::test]
async fn nested_routers_do_not_share_what_is_not_the_same() {
    let (cache, origin) = (cache(), Origin::default());
    let inner = || {
        let layer = ResponseCache::new(&cache);
        Router::new().fallback(handler).layer(layer)
    };
    let app = Router::new().nest("/one", inner()).nest("/two", inner());
    let service = Service::start(app.with_state(origin.clone()), origin).await;
    assert!(!is_shared(&service, get("/one/a"), get("/two/a")).await);
    cache
        .evict(ResponseCache::evict_path("/one/a"))
        .await
        .unwrap();
    assert!(
        !service
            .send(get("/one/a").control("max-age=60"))
            .await
            .is_hit()
    );
    assert!(
        service
            .send(get("/two/a").control("max-age=60"))
            .await
            .is_hit()
    );
}
