//! What makes stored responses old: requests that change something, tags, paths, keys.

use std::sync::Arc;

use cache_http::response::ResponseCache;
use cache_runtime::{Evict, cache_evict};
use http::Method;

use super::service::{Ask, Service, cache, get};

fn cached(path: &str) -> Ask {
    get(path).control("max-age=60")
}

/// Whether a request is answered from the cache.
async fn is_hit(service: &Service, request: Ask) -> bool {
    service.send(request).await.is_hit()
}

#[tokio::test]
async fn a_request_that_changes_something_evicts_the_path_with_every_query() {
    let service = Service::with(|it| it).await;
    for method in ["POST", "PUT", "PATCH", "DELETE", "FROB"] {
        for path in ["/a", "/a?page=2", "/b"] {
            service.send(cached(path)).await;
            assert!(is_hit(&service, cached(path)).await);
        }
        let change = get("/a").method(Method::from_bytes(method.as_bytes()).unwrap());
        assert!(service.send(change).await.told().starts_with("fwd=method"));
        assert!(!is_hit(&service, cached("/a")).await, "{method}");
        assert!(!is_hit(&service, cached("/a?page=2")).await, "{method}");
        assert!(is_hit(&service, cached("/b")).await, "{method}");
    }
}

#[tokio::test]
async fn a_change_that_fails_or_changes_nothing_evicts_nothing() {
    let service = Service::with(|it| it).await;
    service.send(cached("/a")).await;
    let failing = get("/a").method(Method::POST).field("x-status", "422");
    service.send(failing).await;
    service.send(get("/a").method(Method::OPTIONS)).await;
    assert!(is_hit(&service, cached("/a")).await);
}

#[tokio::test]
async fn what_a_response_names_on_this_host_is_evicted_as_well() {
    for by_host in [true, false] {
        let service = Service::with(|it| it.host(by_host)).await;
        for (line, evicts) in [
            ("location: /a/7", true),
            ("location: http://shop.example/a/7", true),
            ("content-location: http://shop.example/a/7", true),
            ("location: http://other.example/a/7", false),
        ] {
            service.send(cached("/a/7")).await;
            service
                .send(
                    get("/a")
                        .method(Method::POST)
                        .field("x-status", "201")
                        .say(line),
                )
                .await;
            let hit = is_hit(&service, cached("/a/7")).await;
            assert_eq!(hit, !evicts, "{line}, by host: {by_host}");
        }
    }
}

/// A client that leaves before the answer does not leave what it has changed in the cache.
#[tokio::test]
async fn a_change_whose_client_has_left_evicts() {
    let service = Arc::new(Service::with(|it| it).await);
    service.send(cached("/a")).await;
    let change = get("/a").method(Method::POST).field("x-take", "60000");
    let sent = {
        let service = Arc::clone(&service);
        tokio::spawn(async move { service.send_alone(change).await })
    };
    tests::eventually::holds("the handler runs", async || service.origin.calls() == 2).await;
    sent.abort();
    tests::eventually::holds("it is evicted", async || {
        !is_hit(&service, cached("/a")).await
    })
    .await;
}

/// Or the eviction of a tag would leave what a request of that tag is answered by.
#[tokio::test]
async fn a_response_is_served_to_requests_with_its_tags_only() {
    let cache = cache();
    let layer = ResponseCache::new(&cache).tags(|request| {
        let tenant = request.headers.get("x-tenant");
        tenant.map_or_else(Vec::new, |it| vec![it.to_str().unwrap().to_owned()])
    });
    let service = Service::of(layer).await;
    let of = |tenant| cached("/a").field("x-tenant", tenant);
    service.send(of("one")).await;
    assert!(is_hit(&service, of("one")).await);
    assert!(!is_hit(&service, of("two")).await);
}

#[tokio::test]
async fn tags_paths_keys_and_regions_reach_responses() {
    let cache = cache();
    let layer = ResponseCache::new(&cache)
        .tags(|request| vec![format!("first:{}", &request.uri.path()[1..2])]);
    let service = Service::of(layer).await;
    let request = || {
        cached("/abc?x=1")
            .say("cache-tag: product:7, products")
            .say("vary: accept")
    };
    for what in [
        Evict::tag("product:7"),
        Evict::tag("products"),
        Evict::tag("first:a"),
        ResponseCache::evict_path("/abc"),
        Evict::region("http"),
        Evict::pattern("http:GET:shop.example:/abc:*"),
        Evict::pattern("http:GET:*:/abc:x=*"),
        Evict::all(),
    ] {
        for accept in ["a", "b"] {
            service.send(request().field("accept", accept)).await;
            let answer = service.send(request().field("accept", accept)).await;
            assert!(
                answer.is_hit() && answer.header("cache-tag").is_empty(),
                "{answer:?}"
            );
        }
        let told = format!("{what:?}");
        cache.evict(what).await.unwrap();
        for accept in ["a", "b"] {
            assert!(
                !is_hit(&service, request().field("accept", accept)).await,
                "{told}"
            );
        }
    }
    cache
        .evict(Evict::tag("product:8").and(ResponseCache::evict_path("/ab")))
        .await
        .unwrap();
    assert!(is_hit(&service, request().field("accept", "a")).await);
}

#[cache_evict(tags = "product:{id}")]
async fn rename(id: u64) -> u64 {
    id
}

#[tokio::test]
async fn an_annotated_write_reaches_responses() {
    let cache = cache();
    let service = Service::of(ResponseCache::new(&cache)).await;
    let request = || cached("/a").say("cache-tag: product:7");
    service.send(request()).await;
    assert!(is_hit(&service, request()).await);
    cache.as_current(rename(7)).await;
    assert!(!is_hit(&service, request()).await);
}

/// What is loaded when it is evicted answers who asked before, and is stored for nobody.
#[tokio::test]
async fn a_response_that_is_evicted_while_it_is_made_is_not_stored() {
    let cache = cache();
    let service = Arc::new(Service::of(ResponseCache::new(&cache)).await);
    let request = || cached("/a").field("x-take", "100");
    let sent = {
        let (service, request) = (Arc::clone(&service), request());
        tokio::spawn(async move { service.send_alone(request).await })
    };
    tests::eventually::holds("the handler runs", async || service.origin.calls() == 1).await;
    cache.evict(ResponseCache::evict_path("/a")).await.unwrap();
    assert_eq!(sent.await.unwrap().body, "call 1");
    assert_eq!(service.send(request()).await.body, "call 2");
    assert!(is_hit(&service, request()).await);
}
